/** Keyrings for tests: what they trust is given as PEM, everything else has the configuration's defaults. */
import { type Keyring, type KeyringRules, openKeyring } from "../../src/trust/keyring.js";

export const file = (path: string, text: string | Uint8Array): { path: string; bytes: Uint8Array } => ({
  path,
  bytes: typeof text === "string" ? Buffer.from(text) : text,
});

export function trusting(trust: readonly (string | Uint8Array)[], rules: Partial<KeyringRules> = {}): Keyring {
  return openKeyring("test", {
    trust: trust.map((text, index) => file(`trust-${index}.pem`, text)),
    revoked: { crls: [], certificates: [], digests: [] },
    usage: ["codeSigning"],
    validity: "now",
    ...rules,
  });
}
