import type { HostileCase } from "./case.js";

/** Answers 0 the first time, and -13 if it then finds anything of its own. */
const forgets = (name: string, head: string, body: string): HostileCase => ({
  name,
  policy: `${head}\nexport function blob_verify(blob, current) {\n${body}\n}`,
  fault: null,
  verdict: 0,
  times: 3,
});
const remembers = (where: string) =>
  `if ("mark" in ${where}) return -13; try { ${where}.mark = 1; } catch {} return 0;`;

export const persistence: readonly HostileCase[] = [
  forgets("a module variable", `let n = 0;`, `return n++ === 0 ? 0 : -13;`),
  forgets("a closure", `const next = (() => { let n = 0; return () => n++; })();`, `return next() === 0 ? 0 : -13;`),
  forgets(
    "a generator",
    `const ids = (function* () { let n = 0; for (;;) yield n++; })();`,
    `return ids.next().value === 0 ? 0 : -13;`,
  ),
  forgets("a Map", `const seen = new Map();`, `if (seen.has("x")) return -13; seen.set("x", 1); return 0;`),
  forgets(
    "a WeakMap by the subject",
    `const seen = new WeakMap();`,
    `if (seen.has(blob)) return -13; seen.set(blob, 1); return 0;`,
  ),
  forgets(
    "a WeakSet by `current`",
    `const seen = new WeakSet();`,
    `if (seen.has(current)) return -13; seen.add(current); return 0;`,
  ),
  forgets(
    "a WeakMap by a built-in",
    `const seen = new WeakMap();`,
    `if (seen.has(Math)) return -13; seen.set(Math, 1); return 0;`,
  ),
  forgets("a RegExp's lastIndex", `const r = /x/g;`, `r.test("xx"); return r.lastIndex === 1 ? 0 : -13;`),
  forgets("a function's property", ``, `if (blob_verify.mark) return -13; blob_verify.mark = 1; return 0;`),
  forgets("a property of a function that is called", `const f = () => f;`, `const g = f(); ${remembers("g")}`),
  forgets("a property of a template's tag", "const f = () => 0;", `f\`x\`; ${remembers("f")}`),
  {
    name: "a property of a hook that is an arrow function",
    policy: `export const blob_verify = () => { ${remembers("blob_verify")} };`,
    fault: null,
    verdict: 0,
    times: 3,
  },
  forgets("a class's static field", `class A { static n = 0; }`, `return A.n++ === 0 ? 0 : -13;`),
  forgets(
    "a private static field",
    `class A { static #n = 0; static next() { return this.#n++; } }`,
    `return A.next() === 0 ? 0 : -13;`,
  ),
  forgets("an array of the module", `const log = [];`, `return log.push(1) === 1 ? 0 : -13;`),
  forgets(
    "a template's strings",
    `const tag = (strings) => strings;`,
    "const s = tag`x`; if (s.mark) return -13; try { s.mark = 1; } catch {} return 0;",
  ),
  forgets("an intrinsic's property", ``, remembers("Array")),
  forgets("a method's property", ``, remembers("[].map")),
  forgets("a prototype's property", ``, remembers("Object.prototype")),
  forgets("the subject's property", ``, remembers("blob")),
  forgets("a property of bytes", ``, remembers("blob.data")),
  forgets("a property of `current`", ``, remembers("current")),
  forgets("a property of a list of labels", ``, remembers("current.container.labels")),
  forgets("a helper's property", `import { hash } from "countersign";`, remembers("hash")),
  forgets("a well-known symbol's description", ``, `return Symbol("x") === Symbol("x") ? -13 : 0;`),
  forgets(
    "a hook put in place of itself",
    `let answer = () => 0;`,
    `const now = answer(); answer = () => -13; return now;`,
  ),
];
