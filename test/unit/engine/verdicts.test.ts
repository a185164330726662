import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../../src/config/config.js";
import { Engine } from "../../../src/engine/decision/engine.js";
import type { SkippedAttachment } from "../../../src/engine/handover/suspension-list.js";
import type { Decision, Denial } from "../../../src/hooks/decision.js";
import {
  CASES,
  type Case,
  caseName,
  LISTS,
  type ModelDenial,
  STATES,
  verdictsOf,
} from "../../support/verdict-model.js";
import { Workplace } from "../../support/workplace.js";
import { task } from "../../task.js";

/**
 * One engine for each mode and default. Each list of attachments is a uid: an attachment is in scope for the uids of
 * the lists that it is part of. There is one attachment for each place in a list, mode and state; `out of scope` is the
 * absence of any.
 */
const POLICIES = {
  allows: "export const blob_verify = () => 0;",
  denies: 'import { deny } from "countersign"; export const blob_verify = () => deny("no", 13);',
  fault: 'export const blob_verify = () => { throw new Error("broken"); };',
};

interface Placed {
  readonly name: string;
  readonly place: number;
  readonly mode: string;
  readonly state: string;
}

const PLACED: readonly Placed[] = [0, 1].flatMap((place) =>
  ["enforce", "audit"].flatMap((mode) =>
    Object.keys(STATES)
      .filter((state) => state !== "out of scope")
      .map((state) => ({ name: `${place}-${mode}-${state.replace(/\W+/g, "-")}`, place, mode, state })),
  ),
);

function uidsOf({ place, mode, state }: Placed): number[] {
  return LISTS.flatMap((list, uid) => (list[place]?.mode === mode && list[place]?.state === state ? [uid] : []));
}

function attachment(placed: Placed): string {
  const { name, mode, state } = placed;
  const policy = state === "allows" || state === "denies" ? state : "fault";
  const onFault = state.endsWith("let through") ? "allow" : "deny";
  return `  - { name: ${name}, policy: policies/${policy}.js, mode: ${mode}, on_fault: ${onFault}, scope: { uid: [${uidsOf(placed)}] } }`;
}

const SUSPENDED: readonly SkippedAttachment[] = PLACED.flatMap(({ state }, number): SkippedAttachment[] =>
  state.startsWith("suspended") ? [[number, { code: "SUSPENDED", message: "not asked", place: null }]] : [],
);

const subject = { name: "blob", digest: "00", data: Buffer.alloc(0), signature: null };
const engines = new Map<string, Engine>();
beforeAll(async () => {
  for (const mode of ["enforce", "audit"])
    for (const fallback of ["allow", "deny", "audit"]) {
      const more = `mode: ${mode}\ndefault: { blob_verify: ${fallback} }\n`;
      const place = new Workplace(PLACED.map(attachment).join("\n"), more);
      for (const [name, text] of Object.entries(POLICIES)) place.write(`policies/${name}.js`, text);
      engines.set(`${mode} ${fallback}`, await Engine.open(readConfig(place.config)));
    }
});
afterAll(() => {
  for (const engine of engines.values()) engine.close();
});

function decide({ engine, fallback, attachments }: Case): Decision {
  const uid = LISTS.findIndex((list) => JSON.stringify(list) === JSON.stringify(attachments));
  return engines
    .get(`${engine} ${fallback}`)!
    .decide({ hook: "blob_verify", subject, current: task({ uid }) }, SUSPENDED);
}

/** As the model has it: the name of an attachment begins with its place. */
function modelled({ attachment, verdict, code }: Denial): ModelDenial {
  return [attachment === null ? null : Number(attachment[0]), verdict, code];
}

function verdicts({ verdict, enforced_verdict, denied_by, audit_denials }: Decision) {
  return {
    verdict,
    enforced_verdict,
    denied_by: denied_by === null ? null : modelled(denied_by),
    audit_denials: audit_denials.map(modelled),
  };
}

describe("the verdicts of an engine", () => {
  it("are those of the design, in every case of up to two attachments", { tags: ["deep"] }, () => {
    expect(CASES).toHaveLength(2 * 3 * (1 + 14 + 14 * 14));
    for (const one of CASES) {
      const decision = decide(one);
      expect(verdicts(decision), caseName(one)).toEqual(verdictsOf(one));
      expect(decision.mode, caseName(one)).toBe(one.engine);
    }
  });

  it("name each attachment in scope with its configured mode, whatever the engine's mode is", {
    tags: ["deep"],
  }, () => {
    for (const one of CASES) {
      const inScope = one.attachments.filter(({ state }) => state !== "out of scope");
      expect(
        decide(one).answers.map(({ mode }) => mode),
        caseName(one),
      ).toEqual(inScope.map(({ mode }) => mode));
    }
  });

  it("are the same without the attachments in audit", { tags: ["deep"] }, () => {
    const kept = ({ verdict, enforced_verdict, denied_by }: Decision) => [verdict, enforced_verdict, denied_by?.code];
    for (const one of CASES) {
      const without = { ...one, attachments: one.attachments.filter(({ mode }) => mode === "enforce") };
      expect(kept(decide(one)), caseName(one)).toEqual(kept(decide(without)));
    }
  });

  it("are predicted by a dry run, and none of its denials is applied", { tags: ["deep"] }, () => {
    for (const one of CASES.filter(({ engine }) => engine === "audit")) {
      const [dry, enforced] = [decide(one), decide({ ...one, engine: "enforce" })];
      expect(dry.verdict, caseName(one)).toBe(0);
      expect(enforced.verdict, caseName(one)).toBe(dry.enforced_verdict);
      expect([enforced.denied_by, enforced.audit_denials], caseName(one)).toEqual([dry.denied_by, dry.audit_denials]);
    }
  });

  it("say in the denial by a default whether enforcing attachments failed or none was in scope", () => {
    const reasonOf = (state: "fault let through" | "out of scope", fallback: "deny" | "audit") => {
      const { denied_by, audit_denials } = decide({
        engine: "enforce",
        fallback,
        attachments: [{ mode: "enforce", state }],
      });
      return (denied_by ?? audit_denials[0])?.reason;
    };
    expect(reasonOf("out of scope", "deny")).toBe(
      "no enforcing attachment is in scope, and the configuration's default for blob_verify is deny",
    );
    expect(reasonOf("fault let through", "audit")).toBe(
      "every enforcing attachment in scope failed and has `on_fault: allow`, and the configuration's default for blob_verify is audit",
    );
  });
});
