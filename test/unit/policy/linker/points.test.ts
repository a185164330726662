import { describe, expect, it } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import { TestProbe } from "../../../../src/engine/decision/test-probe.js";
import { TimedEngine } from "../../../../src/engine/timed-engine.js";
import { ROOT_ON_HOST } from "../../../../src/policy/model/current.js";
import { program } from "../../../support/site.js";
import { Workplace } from "../../../support/workplace.js";

const place = new Workplace(
  "  - { policy: policies/p.ts, limits: { timeout: 10s } }",
  "maps: { m: { writable: { entries: 4, bytes: 1KiB } } }",
);
const SUBJECT = program("peek-tc");

/** The verdict or fault, and the points that a policy reaches and does not, as `line:column arm`. */
async function reached(text: string, uid = 0) {
  place.write("policies/p.ts", text);
  const probe = new TestProbe(true);
  const engine = await TimedEngine.open(readConfig(place.config), { probe });
  probe.begin([]);
  const current = { ...ROOT_ON_HOST, uid };
  const { verdict, answers } = await engine.decide({ hook: "bpf_prog_load", subject: SUBJECT, current });
  const points = engine.points().get("p")!;
  const found = probe.reached.get("p") ?? new Set();
  const names = (wanted: boolean) =>
    points
      .filter((_, index) => found.has(index) === wanted)
      .map(({ line, column, branch }) => `${line}:${column}${branch === null ? "" : ` ${branch.arm}`}`);
  engine.close();
  return { verdict, fault: answers[0]!.fault?.code ?? null, at: names(true), not: names(false) };
}

const hook = (body: string) => `export function bpf_prog_load(prog: any, current: any) {\n${body}\n}`;

describe("marked points", () => {
  it.each([
    ["if (current.uid === 0) return 0;\nreturn -1;", 0, ["2:1", "2:5 condition is true", "2:24"]],
    ["if (current.uid === 0) return 0;\nreturn -1;", 5, ["2:1", "2:5 condition is false", "3:1"]],
    ["if (current.uid) {\nreturn -1;\n} else return 0;", 0, ["2:1", "2:5 condition is false", "4:8"]],
    ["return current.uid ? -1 : 0;", 0, ["2:1", "2:8 condition is false"]],
    [
      "return current.uid && 1 ? -1 : 0;",
      0,
      ["2:1", "2:8 condition is false", "2:23 right side of && is not evaluated"],
    ],
    [
      "return (current.uid || 1) && -1;",
      0,
      ["2:1", "2:24 right side of || is evaluated", "2:30 right side of && is evaluated"],
    ],
    ["return current.container ?? 0;", 0, ["2:1", "2:29 right side of ?? is evaluated"]],
    [
      "return current.container?.labels.tier.length ?? 0;",
      0,
      ["2:1", "2:8 value before ?. is null or undefined", "2:49 right side of ?? is evaluated"],
    ],
    [
      "switch (current.uid) { case 0: return 0; case 1: break; default: }\nreturn -1;",
      0,
      ["2:1", "2:24 case is reached", "2:32"],
    ],
    ["switch (current.uid) { case 0: return 0; default: }\nreturn -1;", 3, ["2:1", "2:42 default is reached", "3:1"]],
    ["const f = (a = 1) => a - 1;\nreturn f();", 0, ["2:1", "2:16 default value is used", "2:22", "3:1"]],
    ["let a = current.uid; a ||= 0; return a;", 0, ["2:1", "2:22", "2:28 right side of ||= is evaluated", "2:31"]],
    ["for (const x of [1]) if (x) continue;\nreturn 0;", 0, ["2:1", "2:22", "2:26 condition is true", "2:29", "3:1"]],
    ["outer: for (;;) { for (;;) break outer; }\nreturn 0;", 0, ["2:1", "2:19", "2:28", "3:1"]],
    ["try { throw 1 } catch { return 0 }", 0, ["2:1", "2:7", "2:25"]],
    ["do { current; } while (false)\nreturn 0;", 0, ["2:1", "2:6", "3:1"]],
  ])("in %j for uid %i", async (body, uid, expected) => {
    const { at } = await reached(hook(body), uid);
    expect(at.toSorted()).toEqual(expected.toSorted());
  });

  it("have the places of a TypeScript file, and of the files that it imports", async () => {
    place.write("policies/lib.ts", "export const one = (x: number): number => (x as number) - 1;\n");
    const { at, verdict } = await reached(
      'import { one } from "./lib.ts";\ninterface A { a: number }\nexport const bpf_prog_load = (): number => one(1);',
    );
    expect(verdict).toBe(0);
    expect(at.toSorted()).toEqual(["1:1", "1:43", "3:1", "3:44"]);
  });

  it("do not change verdicts, faults or their places", { tags: ["deep"] }, async () => {
    for (const [body, fault] of [
      ["return (current.uid || (prog.type === 'sched_cls' && 0)) as any;", null],
      ["return current.container.labels.tier;", "POLICY_ERROR"],
      ["for (;;) {}", "OUT_OF_STEPS"],
      ["return prog?.[['nothing'][0]];", "UNKNOWN_FACT"],
      ["const o = { f() { return this === o ? 0 : -1 } };\nreturn o?.f();", null],
      ["const check = () => deny('x');\ncurrent.uid || check();\nreturn 0;", "UNUSED_DENIAL"],
    ] as const) {
      const found = await reached(
        `import { deny } from "countersign";\n${hook(body)}\nexport const x = deny;`.replace(
          /\nexport const x.*/,
          "\nvoid deny;",
        ),
      );
      expect([body, found.fault]).toEqual([body, fault]);
      if (fault === null) expect(found.verdict).toBe(0);
    }
  });

  it("are first ones only: a loop of 40,000 rounds ends within the same steps", { tags: ["deep"] }, async () => {
    const { verdict, at } = await reached(
      hook("let n = 0;\nfor (let i = 0; i < 40000; i++) { n += i ? 1 : 0; }\nreturn n - 39999;"),
    );
    expect(verdict).toBe(0);
    expect(at).toContain("3:35");
  });

  it("are not in the text that is linked without them", async () => {
    place.write("policies/p.ts", hook("return 0;"));
    const engine = await TimedEngine.open(readConfig(place.config));
    expect(engine.points().get("p")).toEqual([]);
    engine.close();
  });
});
