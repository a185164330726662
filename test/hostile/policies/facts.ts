import { contained, dropped, type HostileCase, type RefusedCase } from "./case.js";

/**
 * The copy of Object.prototype that facts inherit from, and the guard behind it, which every policy can reach and none
 * can use.
 */
const REACHED = `const copy = Object.getPrototypeOf(blob), guard = Object.getPrototypeOf(copy);
  const list = Object.getPrototypeOf(current.capabilities), second = Object.getPrototypeOf(list);`;
/** In functions of their own, so that the linker does not see what is read. */
const READ = "((it) => it.efects)(blob)";

const fault = (name: string, policy: string, more: Partial<HostileCase> = {}): HostileCase => ({
  ...{ name, policy, fault: "UNKNOWN_FACT", says: /read (a|the) fact/ },
  ...more,
});
const unchanged = (name: string, attempt: string): HostileCase => ({
  ...contained(
    name,
    `${REACHED} for (const one of [copy, guard, list, second]) { try { ${attempt} } catch {} }
    escaped = "efects" in blob || "efects" in {} || Object.hasOwn(blob, "toString") || !("toString" in blob) ||
      Object.getPrototypeOf(blob) !== copy || Object.getPrototypeOf(copy) !== guard || Object.isExtensible(guard);`,
  ),
  times: 2,
});

/** Policies that read facts that do not exist and try to answer all the same, or try to take the guard away. */
export const facts: readonly HostileCase[] = [
  fault("an unknown fact, caught", `try { ${READ}; } catch {} return 0;`),
  fault(
    "an unknown fact, in a finally that returns",
    `return (() => { try { try { return ${READ}; } finally { 0; } } catch {} return 0; })();`,
  ),
  fault("an unknown fact, where JavaScript drops the error", dropped(`${READ};`)),
  fault(
    "an unknown fact, caught within a native's callback",
    `[2, 1].sort(() => { try { ${READ}; } catch {} return 0; }); return 0;`,
  ),
  fault(
    "an unknown fact, within the text of a reason",
    `import { deny } from "countersign";
    const reason = (blob) => ({ toString() { try { ${READ}; } catch {} return "no"; } });
    export const blob_verify = (blob) => (deny(reason(blob)) === -1 ? 0 : -13);`,
  ),
  fault(
    "an unknown fact, in a generator that is closed",
    `function* all() { try { yield 1; } finally { try { ${READ}; } catch {} } } for (const one of all()) break; return 0;`,
  ),
  fault(
    "unknown facts with long names",
    `const name = "x".repeat(10_000); for (let i = 0; i < 5; i++) try { blob[name + i]; } catch {} return 0;`,
  ),
  fault("an unknown fact, then no end", `try { ${READ}; } catch {} for (;;);`),
  fault("an unknown fact, then another error", `try { ${READ}; } catch {} throw new Error("other");`),
  fault("an unknown fact, then a bad answer", `try { ${READ}; } catch {} return true;`),
  fault(
    "an unknown fact by what inherits from the subject",
    `const it = Object.create(Object.create(blob)); try { it.efects; } catch {} return 0;`,
  ),
  fault(
    "an unknown fact by a receiver that is no object",
    `const it = { __proto__: blob, read() { return super.efects; } }; try { it.read.call(5); } catch {} return 0;`,
  ),
  fault(
    "an unknown fact by a class",
    `class It extends Object { read() { return super.efects; } } Object.setPrototypeOf(It.prototype, blob); try { new It().read(); } catch {} return 0;`,
  ),
  fault("the guard itself is read", `${REACHED} try { guard.constructor; } catch {} return 0;`),
  fault("the guard is made a text", `${REACHED} try { String(guard); } catch {} return 0;`),
  fault(
    "the error is changed, and thrown again",
    `try { ${READ}; } catch (error) { error.message = "other"; error.stack = ""; throw error; }`,
    {
      says: /`efects`/,
    },
  ),
  fault(
    "an array's unknown member, whatever the array inherits from",
    `const it = Object.setPrototypeOf([1], current.capabilities); try { it.lenghth; } catch {} return 0;`,
  ),
  fault(
    "an unknown fact of current, by Object.assign's getters",
    `const it = { get x() { try { return ((who) => who.user)(current); } catch { return 0; } } }; Object.assign({}, it); return 0;`,
  ),
  unchanged("the guard and the copies are given the fact", `one.efects = 1;`),
  unchanged("they are given it as a property", `Object.defineProperty(one, "efects", { value: 1 });`),
  unchanged("they are given it by Object.assign", `Object.assign(one, { efects: 1 });`),
  unchanged("they lose what they have", `delete one.toString; delete one.constructor;`),
  unchanged("they are given another prototype", `Object.setPrototypeOf(one, { efects: 1 });`),
  unchanged("the subject is given another prototype", `Object.setPrototypeOf(blob, { efects: 1 });`),
  unchanged(
    "they are frozen, sealed and closed once more",
    `Object.freeze(one); Object.seal(one); Object.preventExtensions(one);`,
  ),
  contained(
    "a property of the guard is looked for",
    `${REACHED} escaped = [guard, second].some((one) =>
    Object.getOwnPropertyNames(one).length + Object.getOwnPropertySymbols(one).length > 0);`,
  ),
  contained("Proxy is looked for", `escaped = typeof Proxy !== "undefined" || typeof Reflect !== "undefined";`),
  contained(
    "what guards is not frozen",
    `${REACHED} escaped = ![copy, guard, list, second].every((one) => Object.isFrozen(one));`,
  ),
  {
    ...contained(
      "something is remembered by the guard",
      `${REACHED} const seen = new WeakMap(); escaped = seen.has(guard); seen.set(guard, 1); try { guard.mark = 1; } catch {} escaped ||= "mark" in guard;`,
    ),
    times: 3,
  },
  contained(
    "an own property beside the facts is seen by others",
    `const it = Object.create(blob, { efects: { value: 1 } }); escaped = it.efects !== 1 || "efects" in blob;`,
  ),
  contained(
    "an assignment to what inherits from facts changes them",
    `const it = Object.create(blob); it.efects = 1; escaped = it.efects !== 1 || "efects" in blob;`,
  ),
  contained(
    "labels inherit what a label is not",
    `const { labels } = current.container; escaped = labels.valueOf !== undefined || labels.hasOwnProperty !== undefined || "toString" in labels;`,
  ),
  {
    name: "bytes that inherit from bytes",
    policy: `import { hash } from "countersign";
      export const blob_verify = (blob) => (hash("sha256", Object.create(blob.data)) === "" ? -13 : 0);`,
    fault: "POLICY_ERROR",
    says: /is not bytes/,
  },
];

/**
 * Objects that outlive a decision: facts, their prototypes, the guards behind these, and the virtual module's
 * namespace.
 */
const LASTING: readonly (readonly [name: string, expression: string])[] = [
  ["the subject", "blob"],
  ["a nested fact", "((it) => it.nested)(blob)"],
  ["a list of facts", "current.capabilities"],
  ["`current`", "current"],
  ["the copy of Object.prototype", "copy"],
  ["the guard of objects", "guard"],
  ["the copy of Array.prototype", "list"],
  ["the guard of arrays", "second"],
  ["the virtual module's namespace", "c"],
  ["the guard of the namespace", "Object.getPrototypeOf(c)"],
];
const inHook = (body: string) => `import * as c from "countersign";
export function blob_verify(blob, current) {
  ${REACHED}
  ${body}
}`;

/** Private names that stay on an object would carry a bit from one decision to the next. */
export const stampedFacts: readonly RefusedCase[] = LASTING.map(([name, expression]) => ({
  name: `a private name on ${name}`,
  policy:
    inHook(`class Stamp extends (class { constructor(it) { return it; } }) { #mark = 1; static is(it) { return #mark in it; } }
  const it = ${expression}; if (Stamp.is(it)) return -13; new Stamp(it); return 0;`),
  code: "POLICY_FORBIDDEN",
  place: "policy.js:5:3",
}));

/** Without `extends` a constructor that returns another object does not give it the private names. */
export const unstampedFacts: readonly HostileCase[] = LASTING.map(([name, expression]) => ({
  name: `a private name that ${name} does not get from a class of its own`,
  policy: inHook(`class Stamp { #mark = 1; constructor(it) { return it; } static is(it) { return #mark in it; }
    static mark(it) { it.#mark = 1; } }
  const it = ${expression}; if (Stamp.is(it) || new Stamp(it) !== it || Stamp.is(it)) return -13;
  try { Stamp.mark(it); } catch (error) { return error instanceof TypeError && !Stamp.is(it) ? 0 : -13; } return -13;`),
  fault: null,
  verdict: 0,
  times: 2,
}));
