import { CountersignError } from "../../error.js";
import { BUNDLE, runInstalled } from "../../installed.js";
import { LineTable } from "./line-table.js";
import type { LinkTime } from "./link-time.js";
import { parserMessage } from "./parser-message.js";
import { placeOf } from "./place.js";

type Strip = (
  text: string,
  options: { mode: "strip-only"; filename: string; module: true; deprecatedTsModuleAsError: true },
) => { readonly code: string };

/** An error of the type stripper. Lines count from 1, columns from 0. */
interface Rejection {
  readonly code: "UnsupportedSyntax" | "InvalidSyntax";
  readonly message: string;
  readonly startLine: number;
  readonly startColumn: number;
}

interface Construct {
  readonly message: string;
  readonly remedy: string;
}

const NAMESPACE: Construct = {
  message: "has a `namespace` or `module`",
  remedy: "move its contents to the top of the file, or into a file that is imported",
};

/** TypeScript constructs that generate code, by the stripper's message. */
const REJECTED: readonly (readonly [RegExp, Construct])[] = [
  [/\benum\b/, { message: "has an `enum`", remedy: "use a constant: `const Name = { A: 1 } as const`" }],
  [/\bnamespace\b/, NAMESPACE],
  [
    /parameter property/,
    { message: "has a parameter property", remedy: "declare a field, and assign it in the constructor" },
  ],
  [/import equals/, { message: "has an `import … =`", remedy: 'use `import … from "./file.ts"`' }],
  [/export assignment/, { message: "has an `export =`", remedy: "use `export` or `export default`" }],
  [/angle-bracket/, { message: "has a type assertion `<T>x`", remedy: "write it as `x as T`" }],
];

/**
 * Constructs that the stripper does not remove, matched in their line; `|` is the place at which acorn reports an
 * error.
 */
const LEFT: readonly (readonly [RegExp, Construct])[] = [
  [/\|@/, { message: "has a decorator", remedy: "call a function instead" }],
  [/\baccessor\s+\|/, { message: "has an `accessor` field", remedy: "declare a field, or a `get` and a `set` method" }],
  [/\busing\s+\|/, { message: "has a `using` declaration", remedy: "declare a `const`" }],
  [/\|<\s*const\s*>/, { message: "has a type assertion `<const>x`", remedy: "write it as `x as const`" }],
  [/\bexport\s+\|as\b/, { message: "has an `export as namespace`", remedy: "use `export`" }],
];

/** The library @swc/wasm-typescript, which the build copies: a script of its own, with its WebAssembly. */
const STRIPPER = `${BUNDLE}strip-types.cjs`;

/**
 * Loaded for the first TypeScript file of a thread, which takes 100 ms. Null before that, while the stripper runs, and
 * after it failed.
 */
let stripper: Strip | null = null;

/**
 * Replaces the types of a TypeScript file by spaces, so that all places stay the same. Throws POLICY_SYNTAX,
 * POLICY_TOO_LARGE, and POLICY_FORBIDDEN for constructs that generate code.
 */
export function eraseTypes(file: string, text: string, time: LinkTime): string {
  const ascii = masked(text);
  const nested = NESTED.exec(ascii);
  if (nested !== null) throw tooNested(placeOf(file, new LineTable(text).positionAt(nested.index)));
  stripper ??= load();
  try {
    const code = time.any(() => {
      const erased = strip(ascii);
      rejectNamespaces(ascii, erased);
      rejectDeclare(file, ascii, erased);
      return erased;
    });
    if (code.length !== text.length) throw internal("the length of the text changed while types were erased", file);
    return unmasked(code, ascii, text);
  } catch (error) {
    throw error instanceof CountersignError ? error : rejection(file, error);
  }
}

/** The error for a construct that the stripper did not remove, or null. `error` is the error of acorn. */
export function notErasable(file: string, text: string, error: unknown): CountersignError | null {
  const { pos } = error as { pos?: number };
  if (pos === undefined) return null;
  const start = Math.max(text.lastIndexOf("\n", pos - 1) + 1, pos - 100);
  const line = `${text.slice(start, pos)}|${text.slice(pos, pos + 100)}`;
  const construct = LEFT.find(([pattern]) => pattern.test(line))?.[1];
  if (construct === undefined) return null;
  return forbidden(construct, placeOf(file, new LineTable(text).positionAt(pos)));
}

/**
 * `<T>(` or `<T>(a = ` nested nine times: the stripper's parser backtracks, and its time doubles with each level. Other
 * slow texts reach the time limit. This one is so short that it is rejected here, on every machine alike.
 */
const NESTED = /(?:<[^<>()]{0,80}>\s*\(\s*(?:[\w$]+\s*=\s*)?(?:async\s*)?){9}/;

function tooNested(place: string): CountersignError {
  return new CountersignError("POLICY_FORBIDDEN", "nests `<T>(` more than 8 levels deep", {
    place,
    remedy: "write `x as T` for `<T>(x)`, and declare inner functions by themselves",
  });
}

/** Makes a new instance: the memory of one that was terminated or that trapped can be inconsistent. */
function load(): Strip {
  return (runInstalled(STRIPPER) as { readonly transformSync: Strip }).transformSync;
}

function strip(text: string): string {
  const its = stripper ?? load();
  stripper = null;
  try {
    const { code } = its(text, {
      mode: "strip-only",
      filename: "policy.ts",
      module: true,
      deprecatedTsModuleAsError: true,
    });
    stripper = its;
    return code;
  } catch (error) {
    if (isRejection(error)) stripper = its;
    throw error;
  }
}

/** A `namespace` without `declare`, up to its `{`. */
const NAMESPACES = /(?<!\bdeclare\s{1,9})\bnamespace\s+[\w$]+(?:\s*\.\s*[\w$]+)*\s*\{/g;
const PROBE = "0;";

/**
 * Rejects a namespace without values, which the stripper erases. The stripper itself distinguishes it from similar
 * text, such as a comment: it rejects a namespace that has a statement.
 */
function rejectNamespaces(text: string, erased: string): void {
  const probes: number[] = [];
  const probed = text.replace(NAMESPACES, (found, offset: number) => {
    if (erased[offset] !== " ") return found;
    probes.push(offset + found.length + probes.length * PROBE.length);
    return found + PROBE;
  });
  if (probes.length === 0) return;
  try {
    strip(probed);
  } catch (error) {
    if (!isRejection(error) || !/\bnamespace\b/.test(error.message)) return;
    const at = new LineTable(probed).offsetOf({ line: error.startLine, column: error.startColumn + 1 });
    const { line, column } = new LineTable(text).positionAt(
      at - probes.filter((probe) => probe < at).length * PROBE.length,
    );
    throw { ...error, startLine: line, startColumn: column - 1 };
  }
}

/** The word `declare`, and white space with a line break after it. */
const DECLARE = /\bdeclare(?=((?:\s|\/\/.*|\/\*[\s\S]*?\*\/)+))/g;

/**
 * tsc reads `declare` alone on a line as an expression. The stripper reads it as the start of a declaration and erases
 * the statement on the next line. To exclude a word in a comment or a type, the text is stripped again with a semicolon
 * after the word: if the statement then stays, it was erased because of `declare`.
 */
function rejectDeclare(file: string, text: string, erased: string): void {
  for (const { index, 0: word, 1: space } of text.matchAll(DECLARE)) {
    if (erased[index] !== " " || !space!.includes("\n")) continue;
    const end = index + word.length;
    if (!isKept(`${text.slice(0, end)};${text.slice(end)}`, index)) continue;
    throw new CountersignError(
      "POLICY_FORBIDDEN",
      "has `declare` at the end of a line, which can be read in two ways",
      {
        place: placeOf(file, new LineTable(text).positionAt(index)),
        remedy: "write the declaration on the same line",
      },
    );
  }
}

function isKept(text: string, offset: number): boolean {
  try {
    return strip(text)[offset] !== " ";
  } catch (error) {
    if (isRejection(error)) return false;
    throw error;
  }
}

/**
 * The stripper counts display columns. Replacing each UTF-16 code unit that is not printable ASCII by one character
 * gives the columns of an editor. Such characters cannot occur in code, only in strings, comments and types.
 */
function masked(text: string): string {
  return text.replace(/[^\n\x20-\x7e]/g, (character) => (character === "\t" ? " " : "z"));
}

/** The erased text, with the original characters wherever nothing was erased. */
function unmasked(code: string, ascii: string, text: string): string {
  if (ascii === text) return code;
  let [whole, from] = ["", 0];
  for (let at = 0; at < code.length; at++) {
    if (code[at] === ascii[at]) continue;
    whole += text.slice(from, at) + code[at];
    from = at + 1;
  }
  return whole + text.slice(from);
}

function internal(message: string, place: string): CountersignError {
  return new CountersignError("INTERNAL", message, { place, remedy: "report this, with the policy" });
}

function isRejection(error: unknown): error is Rejection {
  return typeof error === "object" && error !== null && "startLine" in error && "startColumn" in error;
}

function rejection(file: string, error: unknown): CountersignError {
  if (!isRejection(error)) {
    const tooDeep = error instanceof RangeError;
    return new CountersignError("POLICY_SYNTAX", tooDeep ? "is nested too deeply" : "made the TypeScript parser fail", {
      place: file,
      remedy: "rewrite it with less nesting",
      cause: error,
    });
  }
  const place = placeOf(file, { line: error.startLine, column: error.startColumn + 1 });
  if (error.code === "UnsupportedSyntax") {
    const construct = REJECTED.find(([message]) => message.test(error.message))?.[1];
    return forbidden(construct ?? { message: error.message, remedy: "use syntax that only adds types" }, place);
  }
  return new CountersignError("POLICY_SYNTAX", `is not TypeScript: ${parserMessage(error.message)}`, {
    place,
    remedy: "correct the policy there",
    cause: error,
  });
}

function forbidden({ message, remedy }: Construct, place: string): CountersignError {
  return new CountersignError("POLICY_FORBIDDEN", `${message}, which generates code and is not only a type`, {
    place,
    remedy,
  });
}
