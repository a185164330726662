import { describe, expect, it } from "vitest";
import { DROPPED, METHODS, type Naming, policyWith, USED } from "../../support/deny-calls.js";
import { Guest, link } from "../../support/guest.js";
import { COMPLETE } from "../../support/share.js";

describe("a call that denies and whose value is dropped is a fault", () => {
  const guest = new Guest();
  const HEAD = `import { deny } from "countersign"; const check = (blob) => (blob ? deny("no", 13) : 0);`;
  const naming: Naming = { head: HEAD, callee: "check" };
  const ask = (statement: string, call = "check(blob)", head = HEAD) =>
    guest.ask(link(policyWith({ ...naming, head }, statement, call)));
  const fault = (message = 'the denial "no" has no effect: the value of this call is not used') => ({
    verdict: null,
    fault: { code: "UNUSED_DENIAL", message, place: expect.stringMatching(/^policy\.js:3:\d+$/) },
    unusedReasons: ["no"],
  });

  it.each(Object.entries(DROPPED))("in %s", (_, statement) => {
    const outcome = ask(statement);
    expect(outcome).toMatchObject(fault());
    const line = statement.split("\n")[0]!;
    // to QuickJS, a call that is returned is part of the `return`
    expect(outcome.fault?.place).toBe(`policy.js:3:${line.search(/return CALL;|CALL/) + 1}`);
  });

  // Each callback with one method, in turn, which has every method too
  const methods = ["forEach", ...METHODS];
  it.each(
    CALLBACKS.flatMap((callback, index) =>
      (COMPLETE ? methods : [methods[index % methods.length]!]).map((method) => [method, callback]),
    ),
  )("in %s(%s)", (method, callback) => {
    const head = `import { deny } from "countersign"; ${RULES}`;
    const given = (label: string) =>
      link({ ...policyWith({ head, callee: "" }, `["${label}"].${method}(${callback}, holder);`), ...MORE_RULES });
    expect(guest.ask(given("bad"))).toMatchObject({
      verdict: null,
      fault: { code: "UNUSED_DENIAL", message: 'the denial "bad" has no effect: the value of this call is not used' },
    });
    expect(guest.ask(given("good"))).toMatchObject({ verdict: 0, fault: null });
  });

  it.each([
    ["`this` and the arguments", "function f(one, at, all) { seen = this.n + one + at + all.length; }", "108"],
    ["a generator, which does not run", "function* f() { seen = 1; }", "0"],
    ["what a callback throws", "const f = () => { throw 5; };", "5"],
    ["what is no function", "const f = 7;", "TypeError"],
    ["what is not there", "let f;", "TypeError"],
    ["a helper of the module", "const f = note;", "0"],
  ])("and forEach has %s as without", (_, head, seen) => {
    const source = `import { note } from "countersign"; let seen = 0; ${head}
      export function blob_verify() {
        try { [7].forEach(f, { n: 100 }); } catch (error) { seen = error.name ?? error; }
        note(String(seen));
        return 0;
      }`;
    const outcome = guest.ask(source);
    expect(outcome.fault).toBe(null);
    expect(outcome.notes.at(-1)).toBe(seen);
  });

  it.each(Object.entries(DROPPED))("and is none in %s if it allows", (_, statement) => {
    expect(ask(statement, "check(null)")).toMatchObject({ verdict: 0, fault: null });
  });

  it.each(Object.entries(DROPPED))("and is none in %s if deny was not called", (_, statement) => {
    expect(ask(statement, "check(blob)", "const check = () => -13;")).toMatchObject({ verdict: 0, fault: null });
  });

  it.each(Object.entries(USED))("but not %s", (_, statement) => {
    expect(ask(statement).fault?.code).not.toBe("UNUSED_DENIAL");
  });

  it.each([
    ["a method", "obj.check(blob);", `const obj = { no: deny, check() { return this.no("no", 13); } };`],
    ["a computed method", `obj["check"](blob);`, `const obj = { no: deny, check() { return this.no("no", 13); } };`],
    ["an optional call", "obj.check?.(blob);", `const obj = { no: deny, check() { return this.no("no", 13); } };`],
    ["an optional method", "obj?.check(blob);", `const obj = { no: deny, check() { return this.no("no", 13); } };`],
    ["a method of super", "new B().run();", SUPER("super.check();")],
    ["a private method", "new A().run();", `class A { #check() { return deny("no"); } run() { this.#check(); } }`],
    ["a tagged template", `tag\`a\${1}\`;`, `const tag = (strings, one) => one === 1 ? deny("no") : 0;`],
    ["a tagged template of an object", "o.tag`a`;", `const o = { no: deny, tag() { return this.no("no"); } };`],
    ["a getter", "o.verdict;", `const o = { get verdict() { return deny("no"); } };`],
    ["an optional getter", "o?.verdict;", `const o = { get verdict() { return deny("no"); } };`],
    [
      "a function that returns a function's denial",
      "outer();",
      `const inner = () => deny("no"), outer = () => inner();`,
    ],
    ["recursion", "count(3);", `const count = (n) => (n === 0 ? deny("no") : count(n - 1));`],
    ["a reducer", "[1, 2].reduce((v, n) => v || only(n), 0);", `const only = (n) => (n === 2 ? deny("no") : 0);`],
    ["deny by call", `deny.call(null, "no");`, ""],
    ["deny by apply", `deny.apply(null, ["no"]);`, ""],
    ["a bound deny", `deny.bind(null, "no")();`, ""],
    ["a deny that is chosen at run time", `(o.a ? o.b : deny)("no");`, "const o = {};"],
    ["a deny in a list", `fs[0]("no");`, "const fs = [deny];"],
    ["a deny with a default", `f(deny);`, `const f = (g) => g("no");`],
    ["a method with a call as its object", "make().check();", `const make = () => ({ check: () => deny("no") });`],
    ["a curried call", "make()();", `const make = () => () => deny("no");`],
    ["an argument that denies", "same(check());", `const same = (v) => v; const check = () => deny("no");`],
    ["a caught fault", "try { check(); } catch {}", `const check = () => deny("no");`],
    ["a fault with a finally", "try { check(); } finally { blob.name; }", `const check = () => deny("no");`],
    ["a fault that an iterator drops", "for (const _ of it) break;", ITERATOR],
    ["an else without a space", "if (!blob) {} else(check)();", `const check = () => deny("no");`],
    ["a void without a space", "void(check)();", `const check = () => deny("no");`],
    ["a do without a space", "do(check)();while(false)", `const check = () => deny("no");`],
    [
      "32 denials",
      "many();",
      `const many = () => { let v; for (let n = 0; n < 31; n++) v = [deny("no")][0]; return deny("no"); };`,
    ],
  ])("by %s", (_, statement, head) => {
    const outcome = guest.ask(
      link(policyWith({ head: `import { deny } from "countersign"; ${head}`, callee: "" }, statement)),
    );
    expect(outcome).toMatchObject({
      verdict: null,
      fault: { code: "UNUSED_DENIAL", message: fault().fault.message },
    });
  });

  it.each([
    ["a chain of rules that is returned", "return a(blob) && b(blob);", 0, ["a"]],
    ["rules that are mapped", "const all = [a, b].map((rule) => rule(blob)); return all.length - 2;", 0, ["a"]],
    ["a rule that is tested", "a(blob) && b(blob);", 0, ["a"]],
    ["a rule that is compared", "if (a(blob) !== 0) return b(blob);", 0, ["a"]],
    ["a list that takes a denial", "const all = []; all.push(a(blob)); return all.length - 1;", 0, ["a"]],
    ["a function that handles a denial", "handled(blob);", 0, ["a"]],
    ["a function that returns another number", "counted(blob);", 0, ["a"]],
    ["a function that returns no integer", "half(blob);", 0, ["a"]],
    ["a function that returns a text", "text(blob);", 0, ["a"]],
    ["a denial before", "const v = a(blob); minus(); return v;", -1, []],
    ["a helper that fails", "const v = a(blob); map_update('m', 'k', v); return v;", -1, []],
  ])("but not by %s", (_, statement, verdict, unusedReasons) => {
    const head = `import { deny, map_update } from "countersign";
      const a = () => deny("a"), b = () => 0, minus = () => -1;
      const handled = () => (a() === 0 ? 0 : 0), counted = () => -a(), half = () => a() / 2, text = () => String(a());`.replaceAll(
      "\n",
      " ",
    );
    const functions = { map_update: () => -7 };
    const outcome = guest.ask(link(policyWith({ head, callee: "" }, statement)), { functions });
    expect(outcome).toMatchObject({ verdict, fault: null, unusedReasons });
  });

  it("tells of the first of several, and the next decision starts fresh", () => {
    const policy = link({
      "policy.js": `import { deny } from "countersign";
const check = (reason) => deny(reason);
export function blob_verify(blob, current) {
  if (current.uid === 0) return 0;
  try { check("first"); } catch {}
  try { check("second"); } catch {}
  return 0;
}`,
    });
    for (let round = 0; round < 3; round++) {
      expect(guest.ask(policy, { current: { uid: 1 } }).fault).toEqual({
        code: "UNUSED_DENIAL",
        message: 'the denial "first" has no effect: the value of this call is not used',
        place: "policy.js:5:9",
      });
      expect(guest.ask(policy, { current: { uid: 0 } })).toMatchObject({ verdict: 0, fault: null });
    }
  });

  it("cannot be named by a policy, whatever names it has", () => {
    const source = `import { deny } from "countersign";
      const $c_unused = 1, $c_box = 2;
      const check = () => deny("no");
      export function blob_verify() { check(); return $c_unused + $c_box - 3; }`;
    expect(guest.ask(source)).toMatchObject({ fault: { code: "UNUSED_DENIAL", place: "policy.js:4:39" } });
  });
});

/** What can be given to forEach as a callback that denies the text "bad", other than a function that stands there. */
const CALLBACKS = [
  "check",
  "arrow",
  "imported",
  "rules.check",
  `rules["check"]`,
  "rules?.check",
  "more.check",
  "bound",
  "check.bind(null)",
  "made()",
  "make`x`",
  "(check)",
  "(0, check)",
  "blob ? check : arrow",
  "null ?? check",
  "blob && check",
  "(kept = check)",
  "ownThis",
];
const RULES = `import imported, * as more from "./more.js";
  function check(one) { return one === "bad" ? deny(one) : 0; }
  function ownThis(one) { return this.check(one); }
  const arrow = (one) => check(one), rules = { check }, bound = check.bind(null), made = () => check, make = () => check;
  const holder = { check }; let kept;`.replaceAll("\n", " ");
const MORE_RULES = {
  "more.js": `import { deny } from "countersign";
    export const check = (one) => (one === "bad" ? deny(one) : 0);
    export default check;`,
};

function SUPER(call: string): string {
  return `class A { no = deny; check() { return this.no("no"); } } class B extends A { run() { ${call} } }`;
}

const ITERATOR = `const check = () => deny("no");
  const it = { next: () => ({ done: false }), return() { check(); return {}; }, [Symbol.iterator]() { return this; } };`.replace(
  "\n",
  " ",
);
