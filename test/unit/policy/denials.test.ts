import { describe, expect, it } from "vitest";
import { Guest, link } from "../../support/guest.js";

/** Ways to write a call of `deny`: what stands before the hook, other files, and the callee. */
interface Naming {
  readonly head: string;
  readonly callee: string;
  readonly files?: Readonly<Record<string, string>>;
}

const NAMINGS: Readonly<Record<string, Naming>> = {
  "by its name": { head: `import { deny } from "countersign";`, callee: "deny" },
  "by a name of its own": { head: `import { deny as no } from "countersign";`, callee: "no" },
  "by an alias": { head: `import { deny } from "countersign"; const no = deny;`, callee: "no" },
  "by an alias of an alias": {
    head: `import { deny } from "countersign"; const no = deny; let never = no;`,
    callee: "never",
  },
  "by an alias that is assigned": { head: `import { deny } from "countersign"; let no; no = deny;`, callee: "no" },
  "by either of two aliases": {
    head: `import { deny } from "countersign"; const no = globalThis.x ? deny : (0, deny);`,
    callee: "no",
  },
  "by a namespace": { head: `import * as c from "countersign";`, callee: "c.deny" },
  "by a namespace and a string": { head: `import * as c from "countersign";`, callee: `c["deny"]` },
  "by an alias of a namespace": { head: `import * as c from "countersign"; const d = c;`, callee: "d.deny" },
  "out of a namespace": { head: `import * as c from "countersign"; const { deny } = c;`, callee: "deny" },
  "out of a namespace, renamed": {
    head: `import * as c from "countersign"; const { "deny": no } = c;`,
    callee: "no",
  },
  "in parentheses": { head: `import { deny } from "countersign";`, callee: "(deny)" },
  "as the last operand of a comma": { head: `import { deny } from "countersign";`, callee: "(0, deny)" },
  "if it exists": { head: `import { deny } from "countersign";`, callee: "deny?." },
  "if it exists in a namespace": { head: `import * as c from "countersign";`, callee: "c?.deny" },
  "exported by another file": {
    head: `import { no } from "./rules.js";`,
    callee: "no",
    files: { "rules.js": `import { deny } from "countersign"; export const no = deny;` },
  },
  "exported again by another file": {
    head: `import { no } from "./rules.js";`,
    callee: "no",
    files: { "rules.js": `import { deny } from "countersign"; export { deny as no };` },
  },
  "exported as default by another file": {
    head: `import no from "./rules.js";`,
    callee: "no",
    files: { "rules.js": `import { deny } from "countersign"; export default deny;` },
  },
  "through two files": {
    head: `import * as rules from "./rules.js";`,
    callee: "rules.no",
    files: {
      "rules.js": `export * from "./more.js";`,
      "more.js": `import { deny } from "countersign"; export { deny as no };`,
    },
  },
  "in a namespace of another file's": {
    head: `import { more } from "./rules.js";`,
    callee: "more.no",
    files: {
      "rules.js": `export * as more from "./more.js";`,
      "more.js": `import * as c from "countersign"; export const { deny: no } = c;`,
    },
  },
};

/** Methods that give nothing of what their callback returns but their own result. */
const METHODS = ["every", "filter", "find", "findIndex", "findLast", "findLastIndex", "flatMap", "map", "some"];

/** Statements in which the value of CALL is dropped. */
const DROPPED: Readonly<Record<string, string>> = {
  "an expression statement": "CALL;",
  "a statement without semicolon": "if (!blob) {} else CALL\n",
  "a labelled statement": "here: CALL;",
  "the body of a loop": "for (let n = 0; n < 1; n++) CALL;",
  "an operand of void": "void CALL;",
  "an operand of void that is used": "if (void CALL) return 0;",
  "the first operand of a comma": "return CALL, 0;",
  "the last operand of a comma that is dropped": "0, CALL;",
  "the first part of a for": "for (CALL; false;) {}",
  "the last part of a for": "for (let n = 0; n < 1; n++, CALL) {}",
  "an operand of && that is reached": "blob && CALL;",
  "an operand of || that is reached": "null || CALL;",
  "the first operand of || ": "CALL || 0;",
  "the first operand of ??": "CALL ?? 0;",
  "the second operand of ??": "null ?? CALL;",
  "the first result of ?:": "blob ? CALL : 0;",
  "the second result of ?:": "!blob ? 0 : CALL;",
  "a nested operand": "blob ? (0, null ?? (blob && CALL)) : 0;",
  parentheses: "((CALL));",
  "a variable that is never read": "const verdict = CALL;",
  "a variable that is only assigned": "let verdict; verdict = CALL;",
  "a variable assigned if it is null": "let verdict; verdict ??= CALL;",
  "two variables that are never read": "let a, b; a = b = CALL;",
  "a variable whose alias is never read": "const a = CALL; const b = a;",
  "a variable whose only read is dropped": "const a = CALL; a;",
  "an operand stored in a variable that is never read": "const a = blob ? CALL : 0;",
  "a default of a parameter that is never read": "((a = CALL) => 0)();",
  "a variable of the same name as one that is read":
    "const verdict = CALL; { const verdict = 0; if (verdict) return 0; }",
  "the body of an arrow for forEach": "[1].forEach(() => CALL);",
  "an operand in the body of an arrow for forEach": "[1].forEach((one) => one && CALL);",
  "a callback of forEach that returns": "[1].forEach((one) => { if (one) return CALL; });",
  "a function for forEach that returns": `new Set([1])["forEach"](function () { return CALL; });`,
  "a callback for an optional forEach": "[1]?.forEach?.(() => CALL);",
  "what a setter returns": "({ set a(_) { return CALL; } }).a = 1;",
  "a function inside": "const inner = () => { CALL; return 0; }; return inner();",
  "a generator": "for (const _ of (function* () { CALL; yield 1; })()) {}",
  "a static block": "(class { static { CALL; } });",
  "a constructor": "new (class { constructor() { CALL; } })();",
  "a try": "try { CALL; } catch {}",
  "a catch": "try { throw 1; } catch { CALL; }",
  "a finally": "try {} finally { CALL; }",
  "a case": "switch (1) { case 1: CALL; }",
  "a negation": "!CALL;",
  "a negation of a negation": "!!CALL;",
  "a sign": "-CALL;",
  "a complement": "~CALL;",
  "its type": "typeof CALL;",
  "an operand of |": "CALL | 0;",
  "the second operand of |": "0 | CALL;",
  "a comparison": "CALL === 0;",
  "a sum": "0 + CALL;",
  "a combination in a variable that is never read": "const denied = CALL < 0;",
  "a negation under void": "void !CALL;",
  "a template": `\`a\${CALL}b\`;`,
  "an element of a list": "[0, CALL];",
  "an element of a list within": "[0, [CALL]];",
  "a property of an object": "({ a: CALL });",
  "a list that is never read": "const all = [CALL];",
  "a static field of a class that is never used": "class A { static a = CALL; }",
  "a static field of a class in a variable that is never read": "const A = class { static a = CALL; };",
  "a static field of a class that is dropped": "(class { static a = CALL; });",
  "a private static field that is never read": "class A { static #a = CALL; static b() {} } A.b();",
  "a private field that is never read": "class A { #a = CALL; } new A();",
  ...Object.fromEntries(
    METHODS.flatMap((method) => [
      [`the body of an arrow for ${method}`, `[1].${method}(() => CALL);`],
      [`an operand in the body of an arrow for ${method}`, `[1].${method}((one) => one && !CALL);`],
      [`a callback of ${method} that returns`, `[1]["${method}"](function () { return CALL; });`],
      [`a callback for an optional ${method}`, `[1]?.${method}((one) => { return CALL; });`],
      [`a callback of ${method} in a variable that is never read`, `const all = [1].${method}(() => CALL);`],
    ]),
  ),
  "a callback of Array.from": "Array.from([1], () => CALL);",
  "a callback of Object.groupBy": "Object.groupBy([1], () => CALL);",
  "a callback of replace": `"a".replace("a", () => CALL);`,
  "a callback of replaceAll": `"a".replaceAll("a", () => CALL);`,
  "a callback of a method under !": "!([1].some(() => CALL));",
};

/** Statements in which the value of CALL is used: it denies, or is the policy's own business. */
const USED: Readonly<Record<string, string>> = {
  returned: "return CALL;",
  "returned by an arrow": "return (() => CALL)();",
  "the last operand of a comma": "return 0, CALL;",
  "an operand of && that is returned": "return blob && CALL;",
  "the condition of an if": "if (CALL) return 0;",
  "the condition of ?:": "return CALL ? 0 : 1;",
  negated: "if (!CALL) return 0;",
  compared: "if (CALL < 0) return 0;",
  "compared in a statement": "CALL === 0 && 0;",
  combined: "return CALL && 0;",
  "added up": "let sum = 0; sum += CALL;",
  "an element": "const all = [CALL]; return all.length - 1;",
  "a property": "const all = {}; all.a = CALL;",
  "an argument": "String(CALL);",
  "stored and returned": "const verdict = CALL; return verdict;",
  "stored and compared": "const verdict = CALL; if (verdict === 0) return 0;",
  "assigned and read in a closure": "let verdict; const read = () => verdict; verdict = CALL; return read();",
  "assigned in an expression that is used": "let verdict; return (verdict = CALL);",
  "a negation that is returned": "return +!CALL;",
  "a combination that is returned": "return CALL | 0;",
  "a list that is spread": "return Math.max(...[CALL]);",
  mapped: "const all = [1].map(() => CALL); return all.length - 1;",
  "mapped to an argument": "String([1].map(() => CALL));",
  "a callback of a method of the policy's own":
    "let v; const o = { map(f) { v = f(); } }; o.map(() => CALL); return v;",
  "assigned by a callback of some": "let v; [1].some(() => (v = CALL)); return v;",
  "assigned and returned by a callback of some": "let v; [1].some(() => { v = CALL; return v; }); return v;",
  "assigned and compared by a callback of some": "let v; [1].some(() => (v = CALL) !== 0); return v;",
  "a comparator's": "[1, 2].sort(() => CALL);",
  "a static field that is read": "class A { static a = CALL; } return A.a;",
  "a static field that its class reads by `this`":
    "let v; class A { static a = CALL; static { v = this.a; } } return v;",
  "a private field that is read": "class A { #a = CALL; get() { return this.#a; } } return new A().get();",
  "a private static field that is read": "return (class { static #a = CALL; static b() { return this.#a; } }).b();",
  "a field": "class A { a = CALL; } return new A().a;",
  "a property that is deleted": "const all = {}; delete all[CALL];",
  "found by some": "return [1].some(() => CALL) ? 0 : 1;",
  yielded: "for (const verdict of (function* () { yield CALL; })()) return verdict;",
  thrown: "try { throw CALL; } catch (error) { return error; }",
  "in a template": `return Number(\`\${CALL}\`);`,
};

const files = ({ head, callee, files = {} }: Naming, statement: string, call = `${callee}("no")`) => ({
  "policy.js": `${head}\nexport function blob_verify(blob) {\n${statement.replace("CALL", call)}\nreturn 0;\n}\n`,
  ...files,
});
const PLAIN = NAMINGS["by its name"]!;
const cases = (table: Readonly<Record<string, string>>) => Object.entries(table);
const errorOf = (given: Readonly<Record<string, string>>): unknown => {
  try {
    link(given);
    return null;
  } catch (error) {
    return error;
  }
};
const unused = {
  code: "POLICY_UNUSED_DENIAL",
  message: "the value of `deny` is not used here, so nothing is denied",
  place: expect.stringMatching(/^policy\.js:3:\d+$/),
  remedy: "write `return deny(…)`",
};

describe("a call of deny whose value is dropped is an error at start", () => {
  it.each(cases(DROPPED))("in %s, however deny is named", (_, statement) => {
    for (const [name, naming] of Object.entries(NAMINGS)) {
      expect(errorOf(files(naming, statement)), name).toMatchObject(unused);
      const dropped = errorOf(files(naming, statement)) as { place: string };
      const line = files(naming, statement)["policy.js"]!.split("\n")[2]!;
      // the place is that of the call, without the parentheses around it
      expect(line.slice(Number(dropped.place.split(":")[2]) - 1), name).toMatch(/^(\(|no|never|deny|c|d|rules|more)/);
    }
  });

  it("with a tagged template, and on the left of &&", () => {
    expect(errorOf(files(PLAIN, "deny`no`;"))).toMatchObject({ ...unused, place: "policy.js:3:1" });
    expect(errorOf(files(PLAIN, 'blob, deny("no") && 0;'))).toMatchObject({ ...unused, place: "policy.js:3:7" });
  });

  it.each(["forEach", ...METHODS])("with deny given to %s", (method) => {
    const place = `policy.js:3:${method.length + 8}`;
    expect(errorOf(files(PLAIN, `["a"].${method}(deny);`))).toMatchObject({ ...unused, place });
  });

  it("in a file that the policy imports, with the place there", () => {
    const given = {
      "policy.js": `import { check } from "./rules.js";\nexport const blob_verify = (blob) => check(blob);`,
      "rules.js": `import { deny } from "countersign";\nexport function check(blob) {\n  if (blob) deny("no");\n  return 0;\n}`,
    };
    expect(errorOf(given)).toMatchObject({ ...unused, place: "rules.js:3:13" });
  });

  it("at the first of several places", () => {
    expect(errorOf(files(PLAIN, 'const a = deny("no");\nvoid deny("no");'))).toMatchObject({ place: "policy.js:3:11" });
  });
});

describe("a call of deny whose value is used is none", () => {
  it.each(cases(USED))("%s, however deny is named", (_, statement) => {
    for (const [name, naming] of Object.entries(NAMINGS)) expect(errorOf(files(naming, statement)), name).toBe(null);
  });

  it.each([
    ["a parameter of the same name", `const f = (deny) => { deny("no"); }; f(() => -1);`],
    ["a variable of the same name", `const deny = () => -1; deny("no");`],
    ["a function of the same name", `function deny() { return -1; } deny("no");`],
    ["an alias that can be something else", `let f = deny; if (blob) f = () => 0; f("no");`],
    ["a property of the same name", `({ deny: () => 0 }).deny("no");`],
    ["another function of the module", `import_note("no");`],
  ])("nor is %s", (_, statement) => {
    const head = `import { deny, note as import_note } from "countersign";`;
    expect(errorOf(files({ head, callee: "deny" }, statement))).toBe(null);
  });
});

describe("a call that denies and whose value is dropped is a fault", () => {
  const guest = new Guest();
  const HEAD = `import { deny } from "countersign"; const check = (blob) => (blob ? deny("no", 13) : 0);`;
  const naming: Naming = { head: HEAD, callee: "check" };
  const ask = (statement: string, call = "check(blob)", head = HEAD) =>
    guest.ask(link(files({ ...naming, head }, statement, call)));
  const fault = (message = 'the denial "no" has no effect: the value of this call is not used') => ({
    verdict: null,
    fault: { code: "UNUSED_DENIAL", message, place: expect.stringMatching(/^policy\.js:3:\d+$/) },
    unusedReasons: ["no"],
  });

  it.each(cases(DROPPED))("in %s", (_, statement) => {
    const outcome = ask(statement);
    expect(outcome).toMatchObject(fault());
    const line = statement.split("\n")[0]!;
    // to QuickJS, a call that is returned is part of the `return`
    expect(outcome.fault?.place).toBe(`policy.js:3:${line.search(/return CALL;|CALL/) + 1}`);
  });

  it.each(["forEach", ...METHODS].flatMap((method) => CALLBACKS.map((callback) => [method, callback])))(
    "in %s(%s)",
    (method, callback) => {
      const head = `import { deny } from "countersign"; ${RULES}`;
      const given = (label: string) =>
        link({ ...files({ head, callee: "" }, `["${label}"].${method}(${callback}, holder);`), ...MORE_RULES });
      expect(guest.ask(given("bad"))).toMatchObject({
        verdict: null,
        fault: { code: "UNUSED_DENIAL", message: 'the denial "bad" has no effect: the value of this call is not used' },
      });
      expect(guest.ask(given("good"))).toMatchObject({ verdict: 0, fault: null });
    },
  );

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

  it.each(cases(DROPPED))("and is none in %s if it allows", (_, statement) => {
    expect(ask(statement, "check(null)")).toMatchObject({ verdict: 0, fault: null });
  });

  it.each(cases(DROPPED))("and is none in %s if deny was not called", (_, statement) => {
    expect(ask(statement, "check(blob)", "const check = () => -13;")).toMatchObject({ verdict: 0, fault: null });
  });

  it.each(cases(USED))("but not %s", (_, statement) => {
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
      link(files({ head: `import { deny } from "countersign"; ${head}`, callee: "" }, statement)),
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
    const outcome = guest.ask(link(files({ head, callee: "" }, statement)), { functions });
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
