import { ERRNO } from "../errno.js";
import { CountersignError } from "../error.js";
import { verifyModsig } from "./cms/modsig.js";
import { verifyPkcs7 } from "./cms/pkcs7.js";
import { Generation } from "./generation.js";
import type { KeyringRules } from "./keyring-rules.js";
import { verifyMinisign } from "./minisign.js";
import { verifyRaw } from "./raw.js";
import { type Refusal, refuse } from "./refusal.js";
import { distinctSigners, type Signer } from "./signer.js";
import { verifySshsig } from "./ssh/sshsig.js";
import type { Trace } from "./trace.js";
import type { SignatureType, Verification } from "./verification.js";
import { Window } from "./window.js";

export type { KeyringRules, SourceFile } from "./keyring-rules.js";

/**
 * A named set of trusted certificates and keys with its rules. Certificates of `trust` are anchors: paths to them are
 * validated by RFC 5280, and an anchor that signs data itself is trusted directly, as in a kernel keyring.
 */
export class Keyring {
  #current: Generation;

  constructor(
    readonly name: string,
    rules: KeyringRules,
  ) {
    this.#current = new Generation(1, rules);
  }

  /** Number of the current state; it starts at 1 and each {@link replace} increments it. */
  get generation(): number {
    return this.#current.number;
  }

  /** Replaces the whole contents at once; if `rules` cannot be used, nothing changes. Throws as {@link openKeyring}. */
  replace(rules: KeyringRules): void {
    this.#current = new Generation(this.#current.number + 1, rules);
  }

  /**
   * Whether `signature` is a valid signature over exactly `data` by a signer of this keyring, under its rules. `at` is
   * the time of the hook in milliseconds since the epoch. A null `signature` means that there is none; with MODSIG it
   * is then read from the end of `data`. No contents of `data` or `signature` make this throw. With a `trace`, cached
   * results are not used.
   */
  verify(
    data: Uint8Array,
    signature: Uint8Array | null,
    type: SignatureType,
    at: number,
    trace: Trace | null = null,
  ): Verification {
    const generation = this.#current;
    if (signature === null && type !== "MODSIG") return NO_SIGNATURE;
    const key = signature ?? NOTHING;
    const remembered = trace === null ? generation.verifications.find(data, key, type, at) : null;
    if (remembered !== null) return remembered;
    const window = new Window(at);
    const verification = judge(generation, data, signature, type, window, trace);
    generation.verifications.keep(data, key, type, window, verification);
    return verification;
  }
}

/** Throws KEYRING_INVALID, CERTIFICATE_MALFORMED, KEY_MALFORMED or CRL_MALFORMED, with the keyring and the file. */
export function openKeyring(name: string, rules: KeyringRules): Keyring {
  try {
    return new Keyring(name, rules);
  } catch (error) {
    throw error instanceof CountersignError ? error.within(`keyring \`${name}\``) : error;
  }
}

const NOTHING = new Uint8Array(0);

const NO_SIGNATURE: Verification = {
  verdict: -ERRNO.ENODATA,
  reason: "there is no signature",
  rule: "signature present",
  signer: null,
  until: Number.POSITIVE_INFINITY,
};

function judge(
  generation: Generation,
  data: Uint8Array,
  signature: Uint8Array | null,
  type: SignatureType,
  window: Window,
  trace: Trace | null,
): Verification {
  try {
    const blocked = generation.blockList.content(data);
    const outcome = blocked ?? VERIFIERS[type](generation, data, signature, window, trace);
    if ("verdict" in outcome) return refused(withRejected(outcome, generation), window);
    const missing = tooFew(generation.signersNeeded, outcome);
    if (missing !== null) return refused(missing, window);
    const [first, ...others] = outcome;
    const signer = others.length === 0 ? (first?.name ?? "") : outcome.map(({ name }) => name).join("; ");
    return generation.good(signer, window.until);
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    const reason = `the signature cannot be read: ${error.message}${error.place === undefined ? "" : ` at ${error.place}`}`;
    return refused(refuse("EBADMSG", error.code, reason), window);
  }
}

type Verifier = (
  generation: Generation,
  data: Uint8Array,
  signature: Uint8Array | null,
  window: Window,
  trace: Trace | null,
) => readonly Signer[] | Refusal;

const VERIFIERS: Readonly<Record<SignatureType, Verifier>> = {
  PKCS7: (generation, data, signature, window, trace) =>
    verifyPkcs7(generation, data, signature as Uint8Array, window, trace),
  MODSIG: verifyModsig,
  RAW: (generation, data, signature) => verifyRaw(generation, data, signature as Uint8Array),
  SSHSIG: ({ ssh, blockList }, data, signature, window) =>
    verifySshsig(ssh, blockList, data, signature as Uint8Array, window),
  MINISIGN: ({ minisign, blockList }, data, signature) =>
    verifyMinisign(minisign, blockList, data, signature as Uint8Array),
  SIGSTORE: ({ sigstore }, data, signature, window) =>
    sigstore?.verify(data, signature as Uint8Array, window) ??
    refuse("ENOKEY", "sigstore", "the keyring has no Sigstore root, which type SIGSTORE requires"),
};

/** The unknown signer may be a certificate of `trust` that could not be parsed, so the reason names those. */
function withRejected(refusal: Refusal, { rejected: [first, ...others] }: Generation): Refusal {
  if (first === undefined || refusal.verdict !== -ERRNO.ENOKEY) return refusal;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return { ...refusal, reason: `${refusal.reason}; not used because it cannot be read: ${first.name}${more}` };
}

function tooFew(needed: number, signers: readonly Signer[]): Refusal | null {
  if (needed <= 1) return null;
  const distinct = distinctSigners(signers);
  if (distinct >= needed) return null;
  return refuse("EKEYREJECTED", "number of signers", `${distinct} of the ${needed} signers that the keyring requires`);
}

function refused({ verdict, rule, reason }: Refusal, { until }: Window): Verification {
  return { verdict, reason, rule, signer: null, until };
}
