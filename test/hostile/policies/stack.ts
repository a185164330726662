import { dropped, type HostileCase } from "./case.js";

const outOfStack = (name: string, policy: string): HostileCase => ({ name, policy, fault: "OUT_OF_STACK" });

const DEEP = `const f = () => f() + 1;`;
/** An iterator whose \`return\` overflows: JavaScript drops that error for the one that is on its way. */
const CLOSING = `${DEEP} const it = {
    next: () => ({ done: false, value: [1, 2] }),
    return() { f(); return {}; },
    [Symbol.iterator]() { return this; },
  };`;
const closing = (name: string, body: string) =>
  outOfStack(`${name}, whose errors are dropped`, `${CLOSING} try { ${body} } catch {} return 0;`);

export const stack: readonly HostileCase[] = [
  outOfStack("calling itself", `const f = () => f() + 1; return f();`),
  outOfStack("calling each other", `const f = () => g() + 1, g = () => f() + 1; return f();`),
  outOfStack("calling itself through a native", `const f = () => [1].map(f); f(); return 0;`),
  outOfStack("calling itself through a getter", `const o = { get x() { return this.x; } }; return o.x;`),
  outOfStack(
    "calling itself through `toString`",
    `const o = { toString() { return "" + o; } }; return String(o).length;`,
  ),
  outOfStack("constructing itself", `class A { constructor() { new A(); } } new A(); return 0;`),
  outOfStack("a field that constructs its class", `class A { x = new A(); } new A(); return 0;`),
  outOfStack("a default parameter that calls", `const f = (a = f()) => a; return f();`),
  outOfStack("a comparator that sorts", `const f = () => [2, 1].sort(f).length; return f();`),
  outOfStack("catching it and answering", `const f = () => f() + 1; try { f(); } catch { return 0; } return 0;`),
  outOfStack(
    "answering after `finally`",
    `const f = () => f() + 1; try { try { return f(); } finally { 0; } } catch {} return 0;`,
  ),
  outOfStack("catching it at every depth", `const f = () => { try { f(); } catch { f(); } }; f(); return 0;`),
  {
    name: "parsing JSON that is nested deep",
    policy: `return JSON.parse("[".repeat(1e5) + "]".repeat(1e5)).length;`,
    fault: "OUT_OF_STACK",
  },
  outOfStack(
    "writing JSON that writes JSON",
    `const o = { toJSON: () => JSON.stringify(o) }; return JSON.stringify(o).length;`,
  ),
  {
    name: "a regular expression that is nested deep",
    policy: `return new RegExp("(".repeat(1e5) + ")".repeat(1e5)).test("") ? 0 : -1;`,
    fault: "POLICY_ERROR",
  },
  outOfStack("an iterator's `return`, whose errors are dropped", dropped(`${DEEP} f();`)),
  closing("an iterator closed by destructuring", `const [{ [(() => { throw 1; })()]: x }] = it;`),
  closing("an iterator closed by Array.from", `Array.from(it, () => { throw 1; });`),
  closing(
    "an iterator closed by a Map",
    `new Map({ [Symbol.iterator]: () => ({ ...it, next: () => ({ value: 1 }) }) });`,
  ),
  closing(
    "an iterator closed by a WeakSet",
    `new WeakSet({ [Symbol.iterator]: () => ({ ...it, next: () => ({ value: 1 }) }) });`,
  ),
  closing(
    "an iterator closed by Object.fromEntries",
    `Object.fromEntries({ [Symbol.iterator]: () => ({ ...it, next: () => ({ value: 1 }) }) });`,
  ),
  closing("an iterator closed by Object.groupBy", `Object.groupBy(it, () => { throw 1; });`),
  closing("an iterator closed by `yield*`", `for (const x of (function* () { yield* it; })()) throw 1;`),
  closing(
    "an iterator closed by a Set's method",
    `new Set([1, 2]).isSupersetOf({ size: 1, has: () => true, keys: () => ({ ...it, next: () => ({ value: 9 }) }) }); throw 1;`,
  ),
  outOfStack(
    "a getter of `return`, whose errors are dropped",
    `${CLOSING} Object.defineProperty(it, "return", { get: () => f() }); try { for (const x of it) throw 1; } catch {} return 0;`,
  ),
  outOfStack(
    "a generator's `finally`, whose errors are dropped",
    `${DEEP} function* g() { try { yield 1; } finally { f(); } } try { for (const x of g()) throw 1; } catch {} return 0;`,
  ),
  outOfStack(
    "a native as `return`, whose errors are dropped",
    `const text = "[".repeat(1e5), it = { next: () => ({ done: false }), return: () => JSON.parse(text), [Symbol.iterator]() { return this; } };
    try { for (const x of it) throw 1; } catch {} return 0;`,
  ),
  outOfStack(
    "a comparator's error, which sorting keeps",
    `${DEEP} try { [3, 2, 1].sort(() => f()); } catch { return 0; } return 0;`,
  ),
  outOfStack("a replacer's error", `${DEEP} try { "x".replace(/x/, f); } catch { return 0; } return 0;`),
  outOfStack(
    "`toString` within a template",
    `${DEEP} try { String(\`\${{ toString: f }}\`); } catch { return 0; } return 0;`,
  ),
  outOfStack(
    "breaking out after `finally`",
    `${DEEP} for (;;) { try { try { f(); } finally { 0; } } catch { break; } } return 0;`,
  ),
  outOfStack(
    "answering after `finally` within a label",
    `${DEEP} a: { try { try { f(); } finally { 0; } } catch { break a; } } return 0;`,
  ),
];
