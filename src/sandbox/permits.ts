/**
 * The allow-list of JavaScript for policies: objects that stay, with the keys that they keep. Anything else that the
 * engine offers, in any version, is deleted when a runtime starts; the rest is frozen. Functions always keep `length`
 * and `name`. Symbols are written `@@iterator`.
 *
 * Left out on purpose: clocks and randomness (Date, Math.random, performance), code generation (eval, Function and
 * every `constructor` that leads to it), deferred execution (Promise, queueMicrotask), observation of garbage
 * collection (WeakRef, FinalizationRegistry), shared or raw memory (ArrayBuffer, typed arrays, Atomics), objects that
 * behave in hidden ways (Proxy, Reflect, `__proto__`), global state (Symbol.for), and details of the engine
 * (Error.captureStackTrace, Function.prototype.toString).
 */
const ERROR = "prototype";
const ERROR_PROTOTYPE = "constructor name message toString";

export const PERMITS: Readonly<Record<string, string>> = {
  globalThis:
    "Object Error EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError Array Number " +
    "Boolean String Symbol BigInt Math JSON RegExp Map Set WeakMap WeakSet parseInt parseFloat isNaN isFinite " +
    "decodeURI decodeURIComponent encodeURI encodeURIComponent Infinity NaN undefined",

  Object:
    "prototype assign create defineProperties defineProperty entries freeze fromEntries getOwnPropertyDescriptor " +
    "getOwnPropertyDescriptors getOwnPropertyNames getOwnPropertySymbols getPrototypeOf groupBy hasOwn is " +
    "isExtensible isFrozen isSealed keys preventExtensions seal setPrototypeOf values",
  "Object.prototype": "constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf",

  "%Function.prototype%": "apply bind call @@hasInstance",
  "%GeneratorFunction.prototype%": "prototype @@toStringTag",
  "%Generator.prototype%": "next return throw @@toStringTag",
  "%Iterator.prototype%": "@@iterator",
  "%ArrayIterator.prototype%": "next @@toStringTag",
  "%MapIterator.prototype%": "next @@toStringTag",
  "%SetIterator.prototype%": "next @@toStringTag",
  "%StringIterator.prototype%": "next @@toStringTag",
  "%RegExpStringIterator.prototype%": "next @@toStringTag",
  "%ThrowTypeError%": "",

  Error: ERROR,
  EvalError: ERROR,
  RangeError: ERROR,
  ReferenceError: ERROR,
  SyntaxError: ERROR,
  TypeError: ERROR,
  URIError: ERROR,
  AggregateError: ERROR,
  "Error.prototype": ERROR_PROTOTYPE,
  "EvalError.prototype": ERROR_PROTOTYPE,
  "RangeError.prototype": ERROR_PROTOTYPE,
  "ReferenceError.prototype": ERROR_PROTOTYPE,
  "SyntaxError.prototype": ERROR_PROTOTYPE,
  "TypeError.prototype": ERROR_PROTOTYPE,
  "URIError.prototype": ERROR_PROTOTYPE,
  "AggregateError.prototype": ERROR_PROTOTYPE,
  "%InternalError.prototype%": "name message",

  Array: "prototype from isArray of @@species",
  "Array.prototype":
    "constructor length at concat copyWithin entries every fill filter find findIndex findLast findLastIndex flat " +
    "flatMap forEach includes indexOf join keys lastIndexOf map pop push reduce reduceRight reverse shift slice " +
    "some sort splice toLocaleString toReversed toSorted toSpliced toString unshift values with @@iterator " +
    "@@unscopables",
  "Array.prototype.@@unscopables":
    "at copyWithin entries fill find findIndex findLast findLastIndex flat flatMap includes keys toReversed " +
    "toSorted toSpliced values",

  Number:
    "prototype EPSILON MAX_SAFE_INTEGER MAX_VALUE MIN_SAFE_INTEGER MIN_VALUE NEGATIVE_INFINITY NaN " +
    "POSITIVE_INFINITY isFinite isInteger isNaN isSafeInteger parseFloat parseInt",
  "Number.prototype": "constructor toExponential toFixed toLocaleString toPrecision toString valueOf",
  Boolean: "prototype",
  "Boolean.prototype": "constructor toString valueOf",
  String: "prototype fromCharCode fromCodePoint raw",
  "String.prototype":
    "constructor length at charAt charCodeAt codePointAt concat endsWith includes indexOf isWellFormed lastIndexOf " +
    "localeCompare match matchAll normalize padEnd padStart repeat replace replaceAll search slice split startsWith " +
    "substring toLocaleLowerCase toLocaleUpperCase toLowerCase toString toUpperCase toWellFormed trim trimEnd " +
    "trimStart valueOf @@iterator",
  Symbol:
    "prototype asyncIterator hasInstance isConcatSpreadable iterator match matchAll replace search species split " +
    "toPrimitive toStringTag unscopables",
  "Symbol.prototype": "constructor description toString valueOf @@toPrimitive @@toStringTag",
  BigInt: "prototype asIntN asUintN",
  "BigInt.prototype": "constructor toLocaleString toString valueOf @@toStringTag",

  Math:
    "E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs acos acosh asin asinh atan atan2 atanh cbrt ceil clz32 cos cosh " +
    "exp expm1 floor fround hypot imul log log10 log1p log2 max min pow round sign sin sinh sqrt tan tanh trunc " +
    "@@toStringTag",
  JSON: "parse stringify @@toStringTag",

  RegExp: "prototype @@species",
  "RegExp.prototype":
    "constructor dotAll exec flags global hasIndices ignoreCase multiline source sticky test toString unicode " +
    "unicodeSets @@match @@matchAll @@replace @@search @@split",

  Map: "prototype groupBy @@species",
  "Map.prototype": "constructor clear delete entries forEach get has keys set size values @@iterator @@toStringTag",
  Set: "prototype @@species",
  "Set.prototype":
    "constructor add clear delete difference entries forEach has intersection isDisjointFrom isSubsetOf " +
    "isSupersetOf keys size symmetricDifference union values @@iterator @@toStringTag",
  WeakMap: "prototype",
  "WeakMap.prototype": "constructor delete get has set @@toStringTag",
  WeakSet: "prototype",
  "WeakSet.prototype": "constructor add delete has @@toStringTag",
};

/**
 * Properties of frozen intrinsics that can be assigned on objects that inherit them. `*` means every property that
 * JavaScript makes writable. The prototypes listed are those of objects that policies write to, or use as dictionaries
 * with keys that a caller chooses. Each property takes 250 bytes of a runtime, and reading it 40 ns more. Left out:
 * prototypes of primitives, regular expressions, weak collections and the engine's iterators, and static methods of
 * constructors.
 */
export const OVERRIDABLE: Readonly<Record<string, string>> = {
  "Object.prototype": "*",
  "%Function.prototype%": "*",
  "%Generator.prototype%": "*",
  "%Iterator.prototype%": "*",
  "Error.prototype": "*",
  "EvalError.prototype": "*",
  "RangeError.prototype": "*",
  "ReferenceError.prototype": "*",
  "SyntaxError.prototype": "*",
  "TypeError.prototype": "*",
  "URIError.prototype": "*",
  "AggregateError.prototype": "*",
  "%InternalError.prototype%": "*",
  "Array.prototype": "*",
  "Map.prototype": "*",
  "Set.prototype": "*",
};
