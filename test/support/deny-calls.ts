/** Ways to write a call of `deny`: what stands before the hook, other files, and the callee. */
export interface Naming {
  readonly head: string;
  readonly callee: string;
  readonly files?: Readonly<Record<string, string>>;
}

export const NAMINGS: Readonly<Record<string, Naming>> = {
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
export const METHODS = ["every", "filter", "find", "findIndex", "findLast", "findLastIndex", "flatMap", "map", "some"];

/** Statements in which the value of CALL is dropped. */
export const DROPPED: Readonly<Record<string, string>> = {
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
export const USED: Readonly<Record<string, string>> = {
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

/** The files of a policy with a call in the place of CALL. */
export const policyWith = ({ head, callee, files = {} }: Naming, statement: string, call = `${callee}("no")`) => ({
  "policy.js": `${head}\nexport function blob_verify(blob) {\n${statement.replace("CALL", call)}\nreturn 0;\n}\n`,
  ...files,
});
