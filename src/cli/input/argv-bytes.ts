import { readFileSync } from "node:fs";
import { nulStrings } from "../../input.js";

/** The character that node puts in place of bytes that are not UTF-8. */
const REPLACED = "\uFFFD";

/**
 * The original bytes of words of the command line. Node decodes them as UTF-8 and loses bytes that are not. On Linux
 * the bytes come from /proc/self/cmdline (proc(5)); elsewhere, and for a word that is not found there, they are the
 * encoded string.
 */
export function argvBytes(words: readonly string[], given: () => readonly Uint8Array[] = commandLine): Uint8Array[] {
  const bytes: Uint8Array[] = words.map((word) => Buffer.from(word));
  if (!words.some((word) => word.includes(REPLACED))) return bytes;
  // Search from the end: node's options and the options of the command come first.
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
