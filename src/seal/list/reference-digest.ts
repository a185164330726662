import { createHash } from "node:crypto";
import { DIGEST_SIZE } from "./list-entry.js";

/**
 * The digest of a program's references to maps: SHA-256 of 8 bytes for each, in the order of the instructions: the
 * number of its map and its offset into the map's value, 0 for a reference to the map itself.
 */
export function referenceDigest(references: readonly { readonly map: number; readonly offset: number }[]): string {
  if (references.length === 0) return "00".repeat(DIGEST_SIZE);
  const words = references.flatMap(({ map, offset }) => [map, offset]);
  const bytes = Buffer.alloc(4 * words.length);
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, 4 * index);
  return createHash("sha256").update(bytes).digest("hex");
}
