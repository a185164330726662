import { MORE_STEPS } from "../shared/buffer-layout.js";
import { callHost, hostNumber } from "./host.js";
import { described } from "./overrides.js";
import { beginning } from "./text.js";

/** The most characters of an error's name, message or stack to report. */
const MAX_TEXT = 2048;

let ranOut: Error | null = null;

/**
 * Called when the policy has used up its slice; `left` is then negative. Returns the steps that are left of the next
 * slice. If there is none, throws the same error each time until the policy has left its loops, so that the first place
 * is reported.
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

/** Returns the error that says where the steps ran out, and clears it. */
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

/** Describes an error without running code of the policy: reads own or inherited data properties, never getters. */
export function describe(error: unknown): Described {
  const exhaustion = takeExhausted();
  try {
    return inPieces(exhaustion ?? error);
  } catch {
    // Without memory, the engine may throw a value that cannot be examined
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
