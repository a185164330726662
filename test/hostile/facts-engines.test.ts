import { describe, expect, it } from "vitest";
import { ENGINES, type EngineName, engineCode } from "../support/engines.js";
import { blob, Guest } from "../support/guest.js";
import { facts, unstampedFacts } from "./policies/facts.js";

/**
 * The suite of hostile policies runs on the engine that ships; these policies attack what is built of an engine's
 * proxies.
 */
describe.each(Object.keys(ENGINES) as EngineName[])("facts that do not exist, on %s", (engine) => {
  const guest = new Guest({ code: engineCode(engine) });
  const labels = { case: "x", constructor: "x" };

  it.each([...facts, ...unstampedFacts])(
    "$name",
    ({ policy, fault, verdict = fault === null ? 0 : null, says, times = 1 }) => {
      const text = /\bexport (function|const|class)/.test(policy) ? policy : blob(policy);
      for (let asked = 0; asked < times; asked++) {
        const current = { container: { id: "c", name: null, labels, annotations: {} } };
        const outcome = guest.ask(text, { current, limits: { steps: 20_000 } });
        expect(outcome.fault?.code ?? null, outcome.fault?.message).toBe(fault);
        expect(outcome.verdict).toBe(verdict);
        if (says) expect(outcome.fault?.message).toMatch(says);
        // the next decision is not touched by it
        expect(guest.ask(blob('return "efects" in blob || blob.name !== "blob" ? -1 : 0;'))).toMatchObject({
          verdict: 0,
          fault: null,
        });
      }
    },
  );
});
