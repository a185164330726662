import { hash } from "node:crypto";
import type { LinkedPolicy } from "./linker.js";

/** A linked policy as plain data. Places are left out, since linking again gives them. */
export type StoredPolicy = Omit<LinkedPolicy, "digest" | "locate">;

export function storedPolicy({ digest: _, locate: __, ...stored }: LinkedPolicy): StoredPolicy {
  return stored;
}

/** Restores a stored policy. `link` links it again from the same files; it is called when a place is first needed. */
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
