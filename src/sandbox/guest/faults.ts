import { MORE_STEPS } from "../slots.js";
import { callHost, hostNumber } from "./host.js";
import { described } from "./overrides.js";
import { beginning } from "./text.js";

/** Characters of an error's name, message or stack that are told. */
const MAX_TEXT = 2048;

let ranOut: Error | null = null;

/**
 * Called when the policy has used up its slice: `left` is negative. Returns the steps that are left of the next slice. Throws if there
 * is none, each time until the policy has left its loops; the first place is reported.
 */
export function moreSteps(left: number): number {
  if (ranOut !== null) throw ranOut;
  let now = left;
  while (now < 0) {
    callHost(MORE_STEPS, "more steps");
    const more = hostNumber();
    if (more === 0) {
      ranOut = new RangeError("out of steps");
      throw ranOut;
    }
    now += more;
  }
  return now;
}

/** Returns where the steps ran out, and forgets it: the next decision has its own. */
export function takeExhausted(): Error | null {
  const error = ranOut;
  ranOut = null;
  return error;
}

interface Described {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** An error in words, without running any code of the policy: own or inherited text, never a getter. */
export function describe(error: unknown): Described {
  const exhaustion = takeExhausted();
  try {
    return inPieces(exhaustion ?? error);
  } catch {
    // where it has no memory, the engine may throw nothing at all, and to look at that is an error
    return { name: "", message: "", stack: "" };
  }
}

function inPieces(thrown: unknown): Described {
  if (typeof thrown !== "object" || thrown === null) return { name: "", message: told(inWords(thrown)), stack: "" };
  return {
    name: told(inheritedText(thrown, "name") ?? "an object"),
    message: told(inheritedText(thrown, "message") ?? ""),
    stack: told(ownText(thrown, "stack") ?? ""),
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
  const value: unknown = described(object, key)?.value;
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
