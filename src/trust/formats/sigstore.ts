import { refuse } from "../base/refusal.js";
import { SigstoreTrust } from "../sigstore/sigstore.js";
import type { SignatureFormat } from "./format.js";

/** Bundles of Sigstore. They need a root, which is the keyring's key `sigstore`. */
export const SIGSTORE: SignatureFormat = {
  doc: "A bundle of Sigstore, in JSON.",
  detached: true,
  endings: [".sigstore.json", ".sigstore"],
  check: null,
  several: null,
  keys: null,
  open(keyring) {
    const { sigstore } = keyring.rules;
    const trust = sigstore === undefined ? null : new SigstoreTrust(sigstore, keyring);
    return ({ data, signature, window, effort }) =>
      trust?.verify(data, signature, window, effort) ??
      refuse("ENOKEY", "sigstore", "the keyring has no Sigstore root, which type SIGSTORE requires");
  },
};
