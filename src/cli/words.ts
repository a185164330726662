import { readFileSync } from "node:fs";
import { nulStrings } from "../input.js";

/** What node puts where bytes are no UTF-8. */
const REPLACED = "\uFFFD";

/**
 * Words of the command line in the bytes that they were given in: node makes strings of them, in which bytes that are
 * no UTF-8 are lost. Linux has the bytes in proc(5); elsewhere, and for a word that is not among those given, they are
 * the string's.
 */
export function bytesOfWords(words: readonly string[], given: () => readonly Uint8Array[] = commandLine): Uint8Array[] {
  const bytes: Uint8Array[] = words.map((word) => Buffer.from(word));
  if (!words.some((word) => word.includes(REPLACED))) return bytes;
  // from the end, since node's own words and the options stand before
  let rest = given().map((each) => Buffer.from(each));
  for (let index = words.length - 1; index >= 0; index -= 1) {
    const found = rest.findLastIndex((each) => each.toString() === words[index]);
    if (found < 0) continue;
    bytes[index] = rest[found]!;
    rest = rest.slice(0, found);
  }
  return bytes;
}

function commandLine(): readonly Uint8Array[] {
  return process.platform === "linux" ? nulStrings(readFileSync("/proc/self/cmdline")) : [];
}
