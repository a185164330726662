// @module-tag deep
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type DecisionEngine, openEngine } from "../../src/engine/watchdog.js";
import type { Decision } from "../../src/hooks/decision.js";
import { DEFAULT_LIMITS } from "../../src/sandbox/shared/limits.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import { rejection } from "../support/guest.js";
import { drawing, SHARE } from "../support/share.js";
import { task } from "../task.js";
import type { HostileCase } from "./policies/case.js";
import { confinement } from "./policies/confinement.js";
import { crossing } from "./policies/crossing.js";
import { dropping } from "./policies/dropping.js";
import { escaping } from "./policies/escaping.js";
import { exhaustion } from "./policies/exhaustion.js";
import { facts, stampedFacts, unstampedFacts } from "./policies/facts.js";
import { forging } from "./policies/forging.js";
import { linking } from "./policies/linking.js";
import { memory } from "./policies/memory.js";
import { persistence } from "./policies/persistence.js";
import { stack } from "./policies/stack.js";
import { longTime, time } from "./policies/time.js";

const GROUPS: Readonly<Record<string, readonly HostileCase[]>> = {
  escape: escaping,
  "confinement between policies": confinement,
  time,
  [`large budgets, ${SHARE}`]: drawing()(longTime),
  memory,
  stack,
  "result forging": forging,
  "dropped denials": dropping,
  crossing,
  "facts that do not exist": facts,
  "private names on facts": unstampedFacts,
  persistence,
  "exhaustion of helpers and logs": exhaustion,
};
/** Milliseconds for a policy that must run out of time. */
const SHORT = 50;
/**
 * Milliseconds for all others. Steps or memory end them first, on a busy machine too, where 1,000 ms were not enough.
 */
const LONG = 10_000;
const wallOf = ({ fault }: HostileCase) => (fault === "OUT_OF_TIME" ? SHORT : LONG);

const NEIGHBOUR = `import { deny, hash } from "countersign";
let asked = 0;
export function blob_verify(blob, current) {
  asked += 1;
  return asked === 1 && hash("sha256", blob.data).startsWith("9f64a747") && current.container.labels.case === "neighbour"
    ? deny("as it should be", 13)
    : 0;
}`;

/** Labels with everything in them that a crossing could lose. */
const LABELS = `{"__proto__":"polluted","nul":"allow\\u0000deny","lone":"\\ud800x","toJSON":"x","then":"x","constructor":"x"}`;

const nameOf = (group: string, index: number) => `${group.split(" ")[0]}-${index}`;

describe("hostile policies", () => {
  let folder: string;
  let engine: DecisionEngine;
  let number = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "countersign-hostile-"));
    mkdirSync(join(folder, "policies"));
    const attachments: object[] = [];
    const attach = (
      name: string,
      label: string,
      text: string,
      domain: string,
      timeout: number,
      more: object = {},
      its = {},
    ) => {
      writeFileSync(join(folder, "policies", `${name}.js`), text);
      const limits = { memory: "8MiB", timeout: `${timeout}ms`, ...its };
      attachments.push({
        name,
        policy: `policies/${name}.js`,
        domain,
        limits,
        scope: { labels: `case=${label}` },
        ...more,
      });
    };
    for (const [group, cases] of Object.entries(GROUPS))
      for (const [index, one] of cases.entries()) {
        const { policy } = one;
        const text = /\bexport (function|const|class)/.test(policy)
          ? policy
          : `export function blob_verify(blob, current) {\n${policy}\n}`;
        // what crosses has a label of 1 MB beside it
        const steps = one.steps ?? (group === "crossing" ? 1_000_000 : DEFAULT_LIMITS.steps);
        attach(nameOf(group, index), nameOf(group, index), text, "hostile", wallOf(one), {}, { steps });
      }
    // one in the same domain as all that is hostile, and one in another
    attach("near", "neighbour", NEIGHBOUR, "hostile", LONG);
    attach("far", "neighbour", NEIGHBOUR, "peaceful", LONG, { mode: "audit" });
    const file = join(folder, "countersign.yaml");
    const maps = { state: { writable: { entries: 16, bytes: 10_000 } } };
    writeFileSync(join(folder, "ca.pem"), Authority.create({ subject: "CA" }).pem.certificate);
    const keyrings = { k: { trust: ["ca.pem"] } };
    writeFileSync(file, stringify({ version: 1, keyrings, maps, attachments }));
    engine = await openEngine(file);
    await engine.prepared();
    askNeighbours();
  });
  afterAll(async () => {
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  function ask(label: string): Decision {
    // a subject is never the same twice, so that nothing is known of it
    const subject = {
      name: `blob-${number++}`,
      digest: "d",
      data: Uint8Array.of(1, 2, 3, 4),
      signature: null,
      nested: { list: ["a", "b"], deep: { flag: true } },
    };
    const labels: Record<string, string> = JSON.parse(LABELS);
    labels.case = label;
    if (label.startsWith("crossing")) labels.long = `${"y".repeat(999_999)}z`;
    const current = task({ container: { id: "c", name: null, labels, annotations: {} } });
    return engine.decide({ hook: "blob_verify", subject, current });
  }

  function askNeighbours(): void {
    const decision = ask("neighbour");
    expect(decision.answers.map(({ verdict, fault }) => [verdict, fault])).toEqual([
      [-13, null],
      [-13, null],
    ]);
    expect(decision.denied_by?.reason).toContain("as it should be");
  }

  for (const [group, cases] of Object.entries(GROUPS)) {
    describe(group, () => {
      it.each(cases.map((one, index) => ({ ...one, label: nameOf(group, index) })))(
        "$name",
        async ({ label, fault, verdict = fault === null ? 0 : -1, says, notes, times = 1 }) => {
          let ended = false;
          for (let asked = 0; asked < times; asked++) {
            const decision = ask(label);
            const [answer, ...others] = decision.answers;
            expect(others).toEqual([]);
            expect(answer?.fault?.code ?? null, answer?.fault?.message).toBe(fault);
            expect(decision.verdict).toBe(verdict);
            if (notes) expect(answer?.notes).toEqual(notes);
            if (fault !== null) expect(decision.denied_by?.code).toBe(fault);
            if (says) expect(answer?.fault?.message ?? decision.denied_by?.reason).toMatch(says);
            expect(JSON.stringify(decision).replace(JSON.stringify(decision.current), "").length).toBeLessThan(
              64 * 1024,
            );
            ended ||= answer?.fault?.message.includes("its thread was ended") === true;
          }
          askNeighbours();
          // one policy does this once; here each does, and the next thread must be given the time to start
          if (ended) await engine.prepared();
        },
      );
    });
  }

  it("are a hundred and twenty at least", () => {
    expect(Object.values(GROUPS).flat().length).toBeGreaterThanOrEqual(120);
  });
});

describe("policies that are not linked: linker confusion", () => {
  it.each([...linking, ...stampedFacts])("$name", ({ policy, code, place }) => {
    const refused = rejection(policy);
    expect(refused?.code, refused?.message).toBe(code);
    expect(refused?.place).toMatch(place === undefined ? /^policy\.js/ : new RegExp(`^${place}$`));
    expect(refused?.remedy).toBeTruthy();
  });
});
