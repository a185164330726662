import { describe, expect, it } from "vitest";
import { HOOK_NAMES } from "../../../../src/hooks/catalogue.js";
import { linkPolicy } from "../../../../src/policy/linker/linker.js";
import { MAX_TOLD } from "../../../../src/policy/linker/points.js";
import { Guest } from "../../../support/guest.js";

const guest = new Guest();

/** The verdict or fault of a policy, and the points that it passes in their order; `<` is a place that returns. */
function traced(files: string | Readonly<Record<string, string>>, uid = 0) {
  const texts: Readonly<Record<string, string>> = typeof files === "string" ? { "p.js": files } : files;
  const read = (path: string) => texts[path]!;
  const options = { read, hookNames: HOOK_NAMES, root: "", subjects: {}, marksFor: "trace" } as const;
  const policy = linkPolicy(Object.keys(texts)[0]!, options);
  const passed: string[] = [];
  const pointReached = (number: number) => {
    const { file, line, column, branch, returns } = policy.points[number]!;
    const from = file === "p.js" || file === "p.ts" ? "" : `${file}:`;
    passed.push(`${from}${line}:${column}${branch === null ? "" : ` ${branch.arm}`}${returns ? " <" : ""}`);
  };
  const outcome = guest.ask(policy, { current: { uid }, functions: { pointReached } });
  return { answer: outcome.fault?.code ?? outcome.verdict, passed };
}

const hook = (body: string) => `export function blob_verify(blob, current) {\n${body}\n}`;

describe("a trace", () => {
  it.each([
    ["if (current.uid === 0) return 0;\nreturn -1;", 0, ["2:1", "2:5 condition is true", "2:24", "2:24 <"]],
    ["if (current.uid === 0) return 0;\nreturn -1;", 5, ["2:1", "2:5 condition is false", "3:1", "3:1 <"]],
    [
      "for (const x of [1, 0]) if (x) continue;\nreturn 0;",
      0,
      [...["2:1", "2:25", "2:29 condition is true", "2:32", "2:25", "2:29 condition is false", "3:1", "3:1 <"]],
    ],
    ["const f = (x) => x - 1;\nreturn f(f(2));", 0, [...["2:1", "3:1", "2:18", "2:18 <", "2:18", "2:18 <", "3:1 <"]]],
    ["function f() { return; }\nf(); return 0;", 0, ["3:1", "2:16", "2:16 <", "3:6", "3:6 <"]],
    ["const o = { get a() { return 1 } };\nreturn o.a - 1", 0, ["2:1", "3:1", "2:23", "2:23 <", "3:1 <"]],
    ["if (current.uid) return -1; else return 0", 0, ["2:1", "2:5 condition is false", "2:34", "2:34 <"]],
  ])("of %j for uid %i has each pass, and where functions return", (body, uid, expected) => {
    const { answer, passed } = traced(hook(body), uid);
    expect(answer).toBe(uid === 5 ? -1 : 0);
    expect(passed).toEqual([...expected, expected.at(-1)]);
  });

  it("has the place that returned after a `finally` block", () => {
    const { passed } = traced(hook("try { return 0 } finally { current.pid }"));
    expect(passed).toEqual(["2:1", "2:7", "2:7 <", "2:28", "2:7 <"]);
  });

  it("has the end of a body that returns nothing", () => {
    const { answer, passed } = traced(hook("const f = () => 1;\nif (f() > 2) return 0;"));
    expect(answer).toBe("BAD_RETURN_VALUE");
    expect(passed.slice(-2)).toEqual(["4:1 <", "4:1 <"]);
  });

  it("has no place that returned after the last statement of a policy that throws", () => {
    const { answer, passed } = traced(hook("const f = () => { throw 1; };\nreturn f();"));
    expect(answer).toBe("POLICY_ERROR");
    expect(passed).toEqual(["2:1", "3:1", "2:19"]);
  });

  it("names the files of imports, and the places of TypeScript", () => {
    const { passed } = traced({
      "p.ts": 'import { less } from "./lib.ts";\nexport const blob_verify = (): number => less(1 as number);',
      "lib.ts": "export const less = (x: number): number => {\n  return x - 1;\n};",
    });
    expect(passed.slice(-4)).toEqual(["lib.ts:2:3", "lib.ts:2:3 <", "2:42 <", "2:42 <"]);
  });

  it(`ends with the place that returned after ${MAX_TOLD} passes`, () => {
    const body =
      "let n = 0;\nfor (let i = 0; i < 5000; i++) n += one();\nreturn n - 5000;\nfunction one() { return 1 }";
    const { answer, passed } = traced(hook(body));
    expect(answer).toBe(0);
    expect(passed.length).toBeLessThan(MAX_TOLD + 20);
    expect(passed.slice(-2)).toEqual(["4:1 <", "4:1 <"]);
  });

  it.each([
    ["const o = { f() { return this === o ? 0 : -1 } };\nreturn o.f();", 0],
    ["function* g() { const got = yield 1; return got; }\nconst i = g(); i.next(); return i.next(0).value;", 0],
    ["class A { constructor() { this.a = 0 } }\nreturn new A().a;", 0],
    ["a: { break a }\nreturn (() => ({ b: 0 }))().b", 0],
    ["for (;;) {}", "OUT_OF_STEPS"],
    ["const x = { set y(v) { this.z = v } }; x.y = 0; return x.z", 0],
    ["const names = [function () {}.name, (() => 1).name]; return names.join('').length", 0],
    ["return (function f(n) { return n === 0 ? 0 : f(n - 1) })(5)", 0],
  ])("does not change the answer of %j", (body, expected) => {
    expect([traced(hook(body)).answer, guest.ask(hook(body)).fault?.code ?? 0]).toEqual([expected, expected]);
  });
});
