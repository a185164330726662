import { hash } from "./base/digest.js";
import type { KeyringRules, SourceFile } from "./model/keyring-rules.js";

/**
 * SHA-256 in lower-case hex of everything that a keyring is made of, file by file. The paths of the files do not count.
 */
export function digestOf(rules: KeyringRules): string {
  const shown = JSON.stringify(rules, (_, value) =>
    value?.bytes instanceof Uint8Array ? hash("sha256", (value as SourceFile).bytes) : value,
  );
  return hash("sha256", Buffer.from(shown));
}
