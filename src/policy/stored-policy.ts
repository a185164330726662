import { hash } from "node:crypto";
import type { LinkedPolicy } from "./linker.js";

/** What a linked policy is as plain data: all but its places, which linking it again gives. */
export type StoredPolicy = Omit<LinkedPolicy, "digest" | "locate">;

export function storedPolicy({ digest: _, locate: __, ...stored }: LinkedPolicy): StoredPolicy {
  return stored;
}

/**
 * The linked policy of what was stored. `link` links it again, from the same files: called when a place is first asked
 * for.
 */
export function restoredPolicy(stored: StoredPolicy, link: () => LinkedPolicy): LinkedPolicy {
  let digest: string | undefined;
  let linked: LinkedPolicy | undefined;
  return {
    ...stored,
    get digest() {
      digest ??= hash("sha256", stored.source);
      return digest;
    },
    locate(line, column, property) {
      linked ??= link();
      return linked.locate(line, column, property);
    },
  };
}
