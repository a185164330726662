import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dispatch, type Rules } from "../../../../src/engine/decision/dispatcher.js";
import { ERRNO } from "../../../../src/errno.js";
import type { Denial } from "../../../../src/hooks/decision.js";
import type { Attachment } from "../../../../src/policy/attachment.js";
import { PolicyMap } from "../../../../src/policy/maps/map.js";
import { MapView } from "../../../../src/policy/maps/map-view.js";
import type { Mode } from "../../../../src/policy/model/mode.js";
import { FAULT_CODES, type Outcome } from "../../../../src/policy/model/outcome.js";
import { Scope } from "../../../../src/policy/scope/scope.js";
import {
  type Case,
  type ModelDenial,
  STATES,
  type State,
  type Stated,
  verdictsOf,
} from "../../../support/verdict-model.js";
import { task } from "../../../task.js";

const question = { hook: "bpf_prog_load", subject: {}, current: task() } as const;
const ALLOW: Rules = { default: "allow", mode: "enforce" };
const DENY: Rules = { default: "deny", mode: "enforce" };

const answering = (given: Partial<Outcome>): Outcome => {
  return { verdict: 0, fault: null, reason: null, unusedReasons: [], notes: [], answers: [], steps: 1, ...given };
};
const faulting = (code: (typeof FAULT_CODES)[number]): Outcome =>
  answering({ verdict: null, fault: { code, message: "went on for ever", place: "p.js:4:1" } });

function attachment(name: string, outcome: Outcome | (() => Outcome), more: Partial<Attachment> = {}): Attachment {
  return {
    name,
    mode: "enforce",
    onFault: "deny",
    delegates: false,
    freezes: false,
    limits: { steps: 1, memory: 1, stack: 1, timeout: 1 },
    domain: "platform",
    policyDigest: "00",
    hooks: new Set(["bpf_prog_load"]),
    scope: new Scope({}),
    ask: () => (typeof outcome === "function" ? outcome() : outcome),
    commit: () => [],
    drop: () => {},
    ...more,
  };
}

describe("a result of dispatch", () => {
  it("is the first denial, and every attachment is asked", () => {
    const asked: string[] = [];
    const says = (name: string, verdict: number) =>
      attachment(name, () => {
        asked.push(name);
        return answering({ verdict, reason: `says ${name}` });
      });
    const result = dispatch(question, [says("a", 0), says("b", -ERRNO.EACCES), says("c", -ERRNO.EPERM)], ALLOW);
    expect(result.verdict).toBe(-ERRNO.EACCES);
    expect(result.denied_by).toEqual({
      attachment: "b",
      verdict: -ERRNO.EACCES,
      code: "DENIED_BY_POLICY",
      reason: "b: says b",
    });
    expect(result.audit_denials).toEqual([]);
    expect(asked).toEqual(["a", "b", "c"]);
    expect(result.answers.map((answer) => answer.verdict)).toEqual([0, -ERRNO.EACCES, -ERRNO.EPERM]);
  });

  it("is the default if no attachment is in scope", () => {
    const denied = { attachment: null, code: "DENIED_BY_DEFAULT" };
    const none = { verdict: 0, enforced_verdict: 0, denied_by: null, audit_denials: [] };
    const denies = { enforced_verdict: -ERRNO.EPERM, denied_by: denied, audit_denials: [] };
    expect(dispatch(question, [], ALLOW)).toMatchObject(none);
    expect(dispatch(question, [], DENY)).toMatchObject({ ...denies, verdict: -ERRNO.EPERM });
    expect(dispatch(question, [], { default: "deny", mode: "audit" })).toMatchObject({ ...denies, verdict: 0 });
    expect(dispatch(question, [], { default: "audit", mode: "enforce" })).toMatchObject({
      ...none,
      audit_denials: [denied],
    });
  });

  it("names every denial of attachments in audit, and allows", () => {
    const audit = (name: string) => attachment(name, answering({ verdict: -1, reason: "no" }), { mode: "audit" });
    const result = dispatch(question, [audit("a"), attachment("b", answering({})), audit("c")], ALLOW);
    expect(result).toMatchObject({ verdict: 0, enforced_verdict: 0, denied_by: null });
    expect(result.audit_denials.map(({ attachment, reason }) => [attachment, reason])).toEqual([
      ["a", "a: no"],
      ["c", "c: no"],
    ]);
    expect(result.answers[0]?.denial?.code).toBe("DENIED_BY_POLICY");
  });
});

describe("a fault", () => {
  it.each(FAULT_CODES)("%s denies with -EPERM, its name and its place", (code) => {
    const { denied_by, answers } = dispatch(question, [attachment("a", faulting(code))], ALLOW);
    expect(denied_by).toMatchObject({ verdict: -ERRNO.EPERM, attachment: "a", code });
    expect(denied_by?.reason).toContain("p.js:4:1");
    expect(answers[0]?.fault?.code).toBe(code);
  });

  it("is recorded, but does not deny, if the attachment has `on_fault: allow`", () => {
    const { verdict, answers } = dispatch(
      question,
      [attachment("a", faulting("OUT_OF_STEPS"), { onFault: "allow" })],
      ALLOW,
    );
    expect(verdict).toBe(0);
    expect(answers[0]?.fault?.code).toBe("OUT_OF_STEPS");
  });

  it("is the result of an attachment that throws", () => {
    const broken = attachment("a", () => {
      throw new Error("line one\nline two");
    });
    const { denied_by } = dispatch(question, [broken, attachment("b", answering({}))], ALLOW);
    expect(denied_by).toMatchObject({ verdict: -ERRNO.EPERM, code: "INTERNAL_FAULT" });
    expect(denied_by?.reason).toBe("a: internal fault: line one line two");
  });
});

describe("a reason", () => {
  it("names the signature's result if the verdict is that of the helper", () => {
    const answers = ["verify_signature platform PKCS7: -ENOKEY (no key of the keyring made it)"];
    const { denied_by } = dispatch(question, [attachment("a", answering({ verdict: -ERRNO.ENOKEY, answers }))], ALLOW);
    expect(denied_by).toMatchObject({ code: "SIGNATURE_INVALID", reason: `a: ${answers[0]}` });
  });

  it("has the signature's result behind the policy's own words", () => {
    const answers = ["verify_signature platform PKCS7: -ENODATA", "hash sha256: 00"];
    const denied = answering({ verdict: -1, reason: "reads kernel memory", answers });
    expect(dispatch(question, [attachment("a", denied)], ALLOW).denied_by).toMatchObject({
      code: "DENIED_BY_POLICY",
      reason: "a: reads kernel memory (verify_signature platform PKCS7: -ENODATA)",
    });
  });

  it("says that the policy gave none", () => {
    const { denied_by } = dispatch(question, [attachment("a", answering({ verdict: -13 }))], ALLOW);
    expect(denied_by?.reason).toBe("a: answered -EACCES without a reason");
  });

  it("is one line of limited length, whatever the policy returns", () => {
    const reason = `allowed\r\n{"verdict":0}\u2028\u001b[2J${"x".repeat(5000)}`;
    const { denied_by } = dispatch(question, [attachment("a", answering({ verdict: -1, reason }))], ALLOW);
    expect(denied_by?.reason).toMatch(/^a: allowed \{"verdict":0\} \[2Jx+…$/);
    expect(denied_by?.reason.length).toBe(1000);
  });
});

describe("map writes", () => {
  const store = () =>
    new Map([
      [
        "counts",
        new PolicyMap("counts", {}, { entries: 10, bytes: 1000 }, { as: new Map([["one", "default"]]), count: 1 }),
      ],
    ]);
  function writing(
    maps: ReadonlyMap<string, PolicyMap>,
    name: string,
    mode: Mode,
    outcome = answering({}),
  ): Attachment {
    const view = new MapView(maps, mode, "one");
    const act = () => {
      const seen = view.lookup("counts", "last");
      view.update("counts", "last", JSON.stringify(name));
      return { ...outcome, notes: [String(seen)] };
    };
    return attachment(name, act, { mode, commit: () => view.commit(), drop: () => view.drop() });
  }

  it("are committed in the order of attachments once all have answered", () => {
    const maps = store();
    const result = dispatch(question, [writing(maps, "a", "enforce"), writing(maps, "b", "enforce")], ALLOW);
    expect(result.answers.map(({ notes, writes }) => [notes, writes])).toEqual([
      [["null"], [{ map: "counts", key: "last", value: '"a"' }]],
      [["null"], [{ map: "counts", key: "last", value: '"b"' }]],
    ]);
    expect(maps.get("counts")?.get("last")).toBe('"b"');
  });

  it("are kept when the verdict is a denial, and dropped on a fault", () => {
    const maps = store();
    dispatch(question, [writing(maps, "a", "enforce", answering({ verdict: -1 }))], ALLOW);
    dispatch(question, [writing(maps, "b", "enforce", faulting("OUT_OF_TIME"))], ALLOW);
    expect(maps.get("counts")?.get("last")).toBe('"a"');
  });

  it("of an audit attachment are visible to that attachment only", () => {
    const maps = store();
    const audit = writing(maps, "a", "audit");
    const other = writing(maps, "b", "audit");
    dispatch(question, [audit, other], ALLOW);
    const again = dispatch(question, [audit, other], ALLOW);
    expect(again.answers.map((answer) => answer.notes)).toEqual([['"a"'], ['"b"']]);
    expect(maps.get("counts")?.get("last")).toBeNull();
  });
});

describe("verdicts", () => {
  const outcomes = {
    allows: answering({}),
    denies: answering({ verdict: -13 }),
    fault: faulting("POLICY_ERROR"),
    "fault let through": faulting("POLICY_ERROR"),
    suspended: faulting("SUSPENDED"),
    "suspended, let through": faulting("SUSPENDED"),
  };
  const build = (all: readonly Stated[]) =>
    all.flatMap(({ mode, state }, index) => {
      if (state === "out of scope") return [];
      const onFault = state.endsWith("let through") ? "allow" : "deny";
      return [attachment(String(index), outcomes[state], { mode, onFault })];
    });
  const rule = ({ engine, fallback }: Case) => ({ mode: engine, default: fallback });
  const modelled = ({ attachment, verdict, code }: Denial): ModelDenial => {
    return [attachment === null ? null : Number(attachment), verdict, code];
  };

  it("are those of the design, of any number of attachments", () => {
    const stated = fc.record({
      mode: fc.constantFrom<Mode>("enforce", "audit"),
      state: fc.constantFrom(...(Object.keys(STATES) as State[])),
    });
    const any = fc.record({
      engine: fc.constantFrom<Mode>("enforce", "audit"),
      fallback: fc.constantFrom<Rules["default"]>("allow", "deny", "audit"),
      attachments: fc.array(stated, { maxLength: 6 }),
    });
    fc.assert(
      fc.property(any, (one) => {
        const result = dispatch(question, build(one.attachments), rule(one));
        expect({
          verdict: result.verdict,
          enforced_verdict: result.enforced_verdict,
          denied_by: result.denied_by && modelled(result.denied_by),
          audit_denials: result.audit_denials.map(modelled),
        }).toEqual(verdictsOf(one));
      }),
      { numRuns: 1000 },
    );
  });

  describe("grants", () => {
    const asking = { ...question, missingCapabilities: ["CAP_BPF"] };
    const granting = (name: string, outcome: Outcome, more: Partial<Attachment> = {}) =>
      attachment(name, outcome, { delegates: true, ...more });
    const granted = (...attachments: Attachment[]) => dispatch(asking, attachments, ALLOW).grants?.delegation;

    it("the missing capabilities, in the name of the first attachment that may grant them and answered 0", () => {
      const delegation = { attachment: "a", capabilities: ["CAP_BPF"], mode: "enforce" };
      expect(granted(granting("a", answering({})))).toEqual(delegation);
      const [a, b, c] = [attachment("a", answering({})), granting("b", answering({})), granting("c", answering({}))];
      expect(granted(a, b, c)?.attachment).toBe("b");
      expect(dispatch(question, [granting("a", answering({}))], ALLOW)).not.toHaveProperty("grants");
    });

    it("nothing if another attachment denies, before or after", () => {
      const refuses = attachment("r", answering({ verdict: -1 }));
      expect(granted(granting("a", answering({})), refuses)).toBeUndefined();
      expect(granted(refuses, granting("a", answering({})))).toBeUndefined();
      expect(granted(granting("a", answering({ verdict: -1 })))).toBeUndefined();
    });

    it("nothing for a fault that is let through, and nothing without an attachment", () => {
      expect(granted(granting("a", faulting("POLICY_ERROR"), { onFault: "allow" }))).toBeUndefined();
      expect(granted()).toBeUndefined();
      expect(granted(attachment("a", answering({})))).toBeUndefined();
    });

    it("only a record in audit, and never in place of an enforcing attachment", () => {
      const audit = granting("a", answering({}), { mode: "audit" });
      expect(granted(audit)).toMatchObject({ attachment: "a", mode: "audit" });
      expect(granted(audit, granting("b", answering({})))).toMatchObject({ attachment: "b", mode: "enforce" });
      expect(granted(granting("a", answering({ verdict: -1 }), { mode: "audit" }))).toBeUndefined();
    });

    it("the same in a dry run, which carries none of it out", () => {
      const all = [granting("a", answering({})), attachment("f", answering({}), { freezes: true })];
      const ruled = (mode: Mode) => dispatch(asking, all, { default: "allow", mode });
      expect(ruled("audit").grants).toEqual(ruled("enforce").grants);
      expect(ruled("audit")).toMatchObject({
        mode: "audit",
        grants: { delegation: { attachment: "a", capabilities: ["CAP_BPF"], mode: "enforce" }, freeze: "f" },
      });
    });

    it("the freezing of maps if an enforcing attachment requires it", () => {
      const freezer = (mode: Mode) => attachment("f", answering({}), { freezes: true, mode });
      expect(dispatch(question, [freezer("enforce")], ALLOW).grants).toEqual({ freeze: "f" });
      expect(dispatch(question, [freezer("audit")], ALLOW).grants).toBeUndefined();
    });
  });
});
