import { dropped, type HostileCase } from "./case.js";

const outOfSteps = (name: string, policy: string): HostileCase => ({ name, policy, fault: "OUT_OF_STEPS" });
/** A native runs out of steps; with a larger budget it is interrupted, or its thread is ended. */
const native = (name: string, policy: string): readonly HostileCase[] => [
  outOfSteps(name, policy),
  { name: `${name}, with a large budget`, policy, fault: "OUT_OF_TIME", steps: 100_000_000 },
];

/** Methods that go through an array of four thousand million holes. */
const SPARSE = [
  "concat([1])",
  "every(() => true)",
  "filter(Boolean)",
  "findIndex(Boolean)",
  "findLastIndex(Boolean)",
  "flat()",
  "flatMap(Array)",
  "forEach(() => {})",
  "lastIndexOf(1)",
  "map(() => 1)",
  "reduce((sum) => sum, 0)",
  "reduceRight((sum) => sum, 0)",
  "shift()",
  "slice()",
  "some(Boolean)",
  "sort()",
  "splice(0, 1)",
  "toLocaleString()",
  "toString()",
  "unshift(1)",
];
/** Other natives that take long for what they are given. */
const LONG: Readonly<Record<string, string>> = {
  "spreading a sparse array": `const a = []; a.length = 2 ** 32 - 1; Math.max(...a);`,
  "joining a template's absurd parts": `String.raw({ raw: { length: 2 ** 53 - 1 } });`,
  normalizing: `for (let i = 0; i < 99; i++) "A\u030a".repeat(4e5).normalize("NFC");`,
  "writing JSON that shares": `let a = [1]; for (let i = 0; i < 24; i++) a = [a, a]; JSON.stringify(a);`,
  "parsing JSON again and again": `const t = "[" + "1,".repeat(1e6) + "1]"; for (let i = 0; i < 99; i++) JSON.parse(t);`,
  "reading a large integer": `BigInt("9".repeat(3e5));`,
  "dividing large integers": `(1n << 900000n) / ((1n << 450000n) - 1n);`,
  "a regular expression that is large": `new RegExp("(?:a{1,1000}){1,1000}".repeat(50)).test("a".repeat(9000));`,
  "regular expressions of sets": `for (let i = 0; i < 9999; i++) new RegExp("[\\\\p{L}--[a-z]]", "v");`,
  escaping: `for (let i = 0; i < 99; i++) encodeURIComponent("\u20ac".repeat(3e5));`,
  "reading a long number": `for (let i = 0; i < 99; i++) parseFloat("1".repeat(2e6));`,
};

const CASES: readonly HostileCase[] = [
  outOfSteps("an endless `for`", `for (;;);`),
  outOfSteps("an endless `while`", `while (true) {}`),
  outOfSteps("an endless `do`", `do ; while (true)`),
  outOfSteps("an endless `for of`", `for (const x of (function* () { for (;;) yield 1; })()) ;`),
  outOfSteps("a loop that catches all there is", `for (;;) { try { for (;;); } catch {} }`),
  outOfSteps(
    "a loop that begins again after `finally`",
    `for (;;) { try { try { for (;;); } finally { 0; } } catch { continue; } }`,
  ),
  outOfSteps("answering after `finally`", `try { try { for (;;); } finally { 0; } } catch {} return 0;`),
  outOfSteps("answering after catching", `try { for (;;); } catch { return 0; }`),
  outOfSteps("answering after a callback was caught", `[1].forEach(() => { try { for (;;); } catch {} }); return 0;`),
  outOfSteps("looping in a getter", `const o = { get x() { for (;;); } }; return o.x;`),
  outOfSteps("looping in a default parameter", `return ((a = (() => { for (;;); })()) => a)();`),
  outOfSteps("looping in a static block", `class A { static { for (;;); } } return 0;`),
  outOfSteps("looping in a `valueOf`", `return +{ valueOf() { for (;;); } };`),
  outOfSteps("looping in a comparator", `return [1, 2].sort(() => { for (;;); })[0];`),
  outOfSteps("looping in a replacer", `return "x".replace(/x/, () => { for (;;); }).length;`),
  outOfSteps("looping in `toJSON`", `return JSON.stringify({ toJSON() { for (;;); } }).length;`),
  outOfSteps(
    "looping in an error's `message`",
    `throw { get message() { return 1; }, toString() { for (;;); } } || 1; for (;;);`.replace("throw", "void"),
  ),
  outOfSteps("spreading an endless generator", `return [...(function* () { for (;;) yield 1; })()].length;`),
  outOfSteps("calling itself by twos", `const f = (n) => (n > 0 ? (f(n - 1), f(n - 1)) : 0); return f(60);`),
  outOfSteps(
    "making objects whose fields make more",
    `let n = 0; class A { x = n++ < 60 ? (new A(), new A(), n--) : n--; } new A(); return 0;`,
  ),
  outOfSteps("labels and `continue`", `a: for (;;) { b: for (;;) continue a; }`),
  outOfSteps("the module's own body", `let i = 0; while (true) i++;\nexport function blob_verify() { return 0; }`),
  ...native("indexOf over an absurd array-like", `return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);`),
  ...native("includes over a sparse array", `const a = []; a.length = 2 ** 32 - 1; return a.includes(1) ? 0 : -1;`),
  ...native(
    "lastIndexOf over an absurd array-like",
    `return Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1);`,
  ),
  ...native("join over a sparse array", `const a = []; a.length = 2 ** 32 - 1; return a.join("").length;`),
  ...native(
    "reverse over an absurd array-like",
    `return Array.prototype.reverse.call({ length: 2 ** 53 - 1 }).length;`,
  ),
  ...native(
    "copyWithin over an absurd array-like",
    `return Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 1).length;`,
  ),
  ...native("a regular expression that backtracks", `return /^(a+)+$/.test("a".repeat(40) + "!") ? 0 : -1;`),
  ...native(
    "a regular expression that looks ahead and backtracks",
    `return /^(?=(a|aa)+b)/.test("a".repeat(60)) ? 0 : -1;`,
  ),
  ...native("searching for what nearly repeats", `return ("a".repeat(2e6) ).indexOf("a".repeat(1e6) + "b");`),
  ...native("a power of large integers", `return Number((3n ** 9000001n) % 7n);`),
  ...native(
    "writing a large integer",
    `let n = 0; for (let i = 0; i < 99999; i++) n += String(1n << 900000n).length; return n;`,
  ),
  ...native(
    "nested arrays that share, as text",
    `let a = []; for (let i = 0; i < 30; i++) a = [a, a]; return String(a).length;`,
  ),
  ...native(
    "replaceAll that grows",
    `let s = "a".repeat(1e6); return s.replaceAll("a", "$&$&").replaceAll("a", "$\`").length;`,
  ),
  ...native("natives that call natives", `const a = []; a.length = 2 ** 32 - 1; return a.findLast(Boolean) ? 0 : -1;`),
  ...native("an iterator's `return`, whose errors are dropped", dropped(`/^(a+)+$/.test("a".repeat(40) + "!");`)),
  ...native(
    "a generator's `finally`, whose errors are dropped",
    `function* g() { try { yield 1; } finally { /^(a+)+$/.test("a".repeat(40) + "!"); } }
    try { for (const x of g()) throw 1; } catch {} return 0;`,
  ),
  outOfSteps("a loop in an iterator's `return`, whose errors are dropped", dropped("for (;;);")),
  ...SPARSE.map((call) => outOfSteps(`${call} of a sparse array`, `const a = []; a.length = 2 ** 32 - 1; a.${call};`)),
  ...Object.entries(LONG).map(([name, body]) => outOfSteps(name, body)),
  outOfSteps("copying much again and again", `for (let i = 0; i < 9000; i++) "x".repeat(1e6).concat("y").at(-1);`),
  outOfSteps(
    "looking for a property at the end of many prototypes",
    `let o = {}; for (let i = 0; i < 9000; i++) o = Object.create(o);
    for (let i = 0; i < 9000; i++) { o.a; o.b; o.c; o.d; o.e; o.f; } return 0;`,
  ),
  outOfSteps("a native that catches what stops it", `try { /^(a+)+$/.test("a".repeat(40) + "!"); } catch {} return 0;`),
  outOfSteps(
    "a helper's argument that takes long to make",
    `import { hash } from "countersign";
export function blob_verify(blob) {
  return hash("a".repeat(1e6).replaceAll("a", "$&$&").replaceAll("aa", "$\`"), blob.data).length;
}`,
  ),
];

export const time = CASES.filter(({ fault }) => fault !== "OUT_OF_TIME");
/** Most of these end their thread, and the next one has to start first: a hundred times what the others take. */
export const longTime = CASES.filter(({ fault }) => fault === "OUT_OF_TIME");
