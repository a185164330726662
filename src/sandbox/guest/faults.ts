import { MEMORY, STACK, SWALLOWED } from "../slots.js";
import { box } from "./host.js";
import { beginning } from "./text.js";

/** QuickJS's own; absent from other engines, whose memory has no limit of this kind. */
const internal = (globalThis as { InternalError?: { prototype: object } }).InternalError?.prototype ?? null;
/** Errors that mean the engine ran out: prototype, message (QuickJS, quickjs-ng, V8), and of what. */
const EXHAUSTED: readonly (readonly [object | null, string, number])[] = [
  [internal, "out of memory", MEMORY],
  [internal, "stack overflow", STACK],
  [SyntaxError.prototype, "stack overflow", STACK],
  [RangeError.prototype, "Maximum call stack size exceeded", STACK],
];

/** Characters of an error's name, message or stack that are told. */
const MAX_TEXT = 2048;

let ranOut: Error | null = null;

/** Called where fuel has run out, again and again until the policy is out of its loops: the first place is the one told. */
export function exhausted(): never {
  ranOut ??= new RangeError("out of fuel");
  throw ranOut;
}

/** Where fuel ran out, for once: the next decision has its own. */
export function takeExhausted(): Error | null {
  const error = ranOut;
  ranOut = null;
  return error;
}

/** The first look at whatever a policy catches: that it ran out of memory or stack is not its to forgive. */
export function caught(error: unknown): void {
  const what = ranOutOf(error);
  if (what === 0) return;
  box[SWALLOWED] = what;
  throw error;
}

/** With no memory for an error object, QuickJS throws null. */
export function ranOutOf(error: unknown): number {
  if (error === null) return MEMORY;
  if (typeof error !== "object") return 0;
  const prototype = Object.getPrototypeOf(error);
  for (const [kind, message, what] of EXHAUSTED)
    if (kind === prototype && ownText(error as object, "message") === message) return what;
  return 0;
}

/** An error in words, without running any code of the policy: own or inherited text, never a getter. */
export function describe(error: unknown): { name: string; message: string; stack: string; ranOutOf: number } {
  const thrown = takeExhausted() ?? error;
  if (typeof thrown !== "object" || thrown === null) {
    return { name: "", message: told(inWords(thrown)), stack: "", ranOutOf: ranOutOf(error) };
  }
  return {
    name: told(inheritedText(thrown, "name") ?? "an object"),
    message: told(inheritedText(thrown, "message") ?? ""),
    stack: told(ownText(thrown, "stack") ?? ""),
    ranOutOf: ranOutOf(error),
  };
}

function inWords(primitive: unknown): string {
  if (typeof primitive === "string") return primitive;
  if (typeof primitive === "function" || typeof primitive === "bigint") return `a value of type ${typeof primitive}`;
  return String(primitive);
}

function told(text: string): string {
  return beginning(text, MAX_TEXT);
}

function ownText(object: object, key: string): string | undefined {
  const value: unknown = Object.getOwnPropertyDescriptor(object, key)?.value;
  return typeof value === "string" ? value : undefined;
}

function inheritedText(object: object, key: string): string | undefined {
  let at: object | null = object;
  for (let depth = 0; at !== null && depth < 8; depth++) {
    const text = ownText(at, key);
    if (text !== undefined) return text;
    at = Object.getPrototypeOf(at);
  }
  return undefined;
}
