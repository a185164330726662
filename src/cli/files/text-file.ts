import { realpathSync, statSync } from "node:fs";
import { decodeText, readInput } from "../../input.js";
import { writeWhole } from "./write.js";

const BYTE_ORDER_MARK = "\uFEFF";

/**
 * Reads a UTF-8 file of at most `limit` bytes that is to be changed: its text without a byte order mark, and `whole`,
 * which puts the mark of the file back in front of a changed text. Throws FILE_UNREADABLE, FILE_TOO_LARGE.
 */
export function readTextFile(
  file: string,
  limit: number,
): { readonly text: string; readonly whole: (text: string) => string } {
  const bytes = readInput(file, limit);
  const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? BYTE_ORDER_MARK : "";
  return { text: decodeText(file, bytes), whole: (text) => mark + text };
}

/**
 * Replaces the content of a file at once, with its permissions. If it is a symbolic link, replaces the target and keeps
 * the link. Throws FILE_UNREADABLE.
 */
export function replaceTextFile(file: string, text: string): void {
  const target = realpathSync(file);
  writeWhole(target, Buffer.from(text), statSync(target).mode & 0o7777);
}
