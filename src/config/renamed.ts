import type { Path } from "./document.js";

/** Keys of earlier versions, by the key of their mapping and their own, and what replaces each. */
const RENAMED: Readonly<Record<string, string>> = {
  "limits.fuel": "steps",
};

/** The key that replaces `key` in the mapping at `path`, or null where none does. */
export function renamed(path: Path, key: string): string | null {
  const old = `${String(path.at(-1))}.${key}`;
  return Object.hasOwn(RENAMED, old) ? RENAMED[old]! : null;
}
