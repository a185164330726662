import { notDecided } from "./path.js";

/** Objects of JavaScript whose functions and constants a policy can read by name. */
const HOLDERS: ReadonlySet<object> = new Set<object>([Math, JSON, Object, Array, Number, String, Boolean]);

export function isNative(value: unknown): boolean {
  return HOLDERS.has(value as object);
}

/** A function or constant of an intrinsic object, such as `Math.max`; undefined if it has nothing of the name. */
export function nativeStatic(object: object, key: string): unknown {
  if (!(key in object)) return undefined;
  const value = Object.hasOwn(object, key) ? (object as Readonly<Record<string, unknown>>)[key] : undefined;
  const isRead = typeof value === "function" || typeof value === "number";
  return isRead && key !== "constructor" ? value : notDecided(`\`${key}\` of an intrinsic object`);
}

/** How a policy names a function of JavaScript: `Math.hypot`, in backquotes. */
export function functionName(its: unknown): string {
  for (const [holder, object] of Object.entries({ ...NAMED, globalThis: GLOBAL_FUNCTIONS }))
    for (const key of Object.getOwnPropertyNames(object))
      if ((object as unknown as Readonly<Record<string, unknown>>)[key] === its && key !== "constructor")
        return holder === "globalThis" ? `\`${key}\`` : `\`${holder}.${key}\``;
  return "this function of JavaScript";
}

const NAMED: Readonly<Record<string, object>> = { Math, JSON, Object, Array, Number, String };
const GLOBAL_FUNCTIONS: object = {
  ...{ parseInt, parseFloat, isNaN, isFinite, Number, String, Boolean, Object, Array, Symbol },
  ...{ encodeURIComponent, encodeURI, decodeURIComponent, decodeURI },
};

type Function = (...given: never[]) => unknown;

/** Functions that the explorer calls itself if no argument has a symbol in it: their results are the engine's. */
export const CONCRETE_FUNCTIONS: ReadonlySet<unknown> = new Set<Function>([
  parseInt,
  parseFloat,
  Number,
  Number.isNaN,
  Number.isFinite,
  encodeURIComponent,
  encodeURI,
  decodeURIComponent,
  decodeURI,
  Number.isFinite,
  Number.isNaN,
  Number.isInteger,
  Number.isSafeInteger,
  Number.parseInt,
  Number.parseFloat,
  Math.abs,
  Math.ceil,
  Math.floor,
  Math.max,
  Math.min,
  Math.round,
  Math.sign,
  Math.trunc,
  String.fromCharCode,
  String.fromCodePoint,
  Object.is,
]);

/** Methods of strings that the explorer calls if the string and all arguments are primitive values. */
export const CONCRETE_STRING_METHODS: ReadonlySet<string> = new Set([
  ...["at", "charAt", "charCodeAt", "codePointAt", "concat", "endsWith", "includes", "indexOf", "lastIndexOf"],
  ...["padEnd", "padStart", "slice", "split", "startsWith", "substring", "toLowerCase", "toUpperCase", "toString"],
  ...["trim", "trimEnd", "trimStart", "repeat"],
]);

/** Methods of arrays that neither call functions nor look at the elements. */
export const MOVING_ARRAY_METHODS: ReadonlySet<string> = new Set([
  "push",
  "pop",
  "shift",
  "unshift",
  "slice",
  "at",
  "concat",
]);
