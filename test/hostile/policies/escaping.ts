import { contained, type HostileCase } from "./case.js";

const absent = (name: string) => contained(`\`${name}\` is not there`, `escaped = typeof ${name} !== "undefined";`);

export const escaping: readonly HostileCase[] = [
  ...["Promise", "Date", "Proxy", "WeakRef", "FinalizationRegistry", "SharedArrayBuffer", "Atomics", "Function"].map(
    absent,
  ),
  ...["Reflect", "globalThis", "ArrayBuffer", "Uint8Array", "DataView", "queueMicrotask", "performance"].map(absent),
  ...["process", "require", "setTimeout", "fetch", "console", "print", "std", "os", "scriptArgs"].map(absent),
  contained("Math has no chance", `escaped = "random" in Math;`),
  contained("a function's constructor makes no code", `escaped = (() => {}).constructor("return 1")() === 1;`),
  contained(
    "a generator's constructor makes no code",
    `escaped = (function* () {}).constructor("yield 1")().next?.().value === 1;`,
  ),
  contained("a class's constructor makes no code", `escaped = (class {}).constructor("return 1")() === 1;`),
  contained("a helper's constructor makes no code", `escaped = blob.constructor.constructor("return 1")() === 1;`),
  contained(
    "a method's constructor makes no code",
    `escaped = [].map.constructor("return 1")() === 1 || "".at.constructor("return 1")() === 1;`,
  ),
  contained("`__proto__` is no property", `escaped = "__proto__" in {};`),
  contained(
    "`__defineGetter__` and its like are gone",
    `escaped = "__defineGetter__" in {} || "__lookupGetter__" in {};`,
  ),
  contained("a function does not tell its text", `escaped = /exhausted|steps|=>/.test(String(() => 1));`),
  contained("no symbol is shared", `escaped = typeof Symbol.for === "function";`),
  contained(
    "RegExp keeps no last match",
    `/(x)/.exec("x"); escaped = RegExp.$1 !== undefined || RegExp.lastMatch !== undefined;`,
  ),
  contained(
    "Error hooks are gone",
    `escaped = Error.captureStackTrace !== undefined || Error.prepareStackTrace !== undefined;`,
  ),
  contained("strict functions tell no caller", `escaped = (function f() { return f.caller; })() !== undefined;`),
  contained("`arguments` has no callee", `escaped = (function () { return arguments.callee; })() !== undefined;`),
  contained("an error's stack names no host file", `escaped = /node|file:|\\.ts|wasm/.test(new Error("x").stack);`),
  contained(
    "an error of a helper is the guest's own",
    `try { blob.name.repeat(-1); } catch (e) { escaped = !(e instanceof RangeError); }`,
  ),
  contained("top-level `this` is nothing", `escaped = (function () { return this; })() !== undefined;`),
  contained("InternalError cannot be made", `escaped = typeof InternalError !== "undefined";`),
];
