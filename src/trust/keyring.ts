import { ERRNO } from "../errno.js";
import { CountersignError } from "../error.js";
import { beginsAsStatement } from "../statement-line.js";
import { boundedReason, type Refusal, refuse } from "./base/refusal.js";
import { Window } from "./base/window.js";
import type { VerificationContext } from "./formats/format.js";
import { FORMATS, type SignatureType } from "./formats/formats.js";
import { KeyringVersion } from "./keyring/keyring-version.js";
import type { KeyringRules } from "./model/keyring-rules.js";
import { distinctSigners, type Signer } from "./model/signer.js";
import type { Verification } from "./model/verification.js";
import type { Trace } from "./path/trace.js";

export type { KeyringRules, SourceFile } from "./model/keyring-rules.js";

/**
 * A named set of trusted certificates and keys with its rules. Certificates of `trust` are anchors: paths to them are
 * validated by RFC 5280, and an anchor that signs data itself is trusted directly, as in a kernel keyring.
 */
export class Keyring {
  #current: KeyringVersion;

  constructor(
    readonly name: string,
    rules: KeyringRules,
  ) {
    this.#current = new KeyringVersion(1, rules);
  }

  /** Number of the current state; it starts at 1 and each {@link replace} increments it. */
  get generation(): number {
    return this.#current.number;
  }

  /** Replaces the whole contents at once; if `rules` cannot be used, nothing changes. Throws as {@link openKeyring}. */
  replace(rules: KeyringRules): void {
    this.#current = new KeyringVersion(this.#current.number + 1, rules);
  }

  /**
   * Why content with this SHA-256, in lower-case hex, is revoked; null if it is not. `what` names it in the reason.
   */
  revocationOf(sha256: string, what: string): Refusal | null {
    return this.#current.blockList.digest(sha256, what);
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
    if (signature === null && FORMATS[type].detached) return NO_SIGNATURE;
    if (beginsAsStatement(data)) return refused(IS_STATEMENT, new Window(at));
    return this.#verify({ data, isStatement: false }, signature, type, at, trace);
  }

  /**
   * The same for a program statement, which {@link verify} never takes. `objectSha256` is that of the object file that
   * the statement is about: the block list may have it.
   */
  verifyStatement(
    { bytes, objectSha256 }: SignedStatement,
    signature: Uint8Array,
    type: SignatureType,
    at: number,
    trace: Trace | null = null,
  ): Verification {
    if (!beginsAsStatement(bytes) || !FORMATS[type].detached) return refused(NO_STATEMENT, new Window(at));
    const listed = this.#current.blockList.digest(objectSha256, "the object that the statement is about");
    if (listed !== null) return refused(listed, new Window(at));
    return this.#verify({ data: bytes, isStatement: true }, signature, type, at, trace);
  }

  /** Data that begin as a statement does are always verified as one, so both can be in one cache. */
  #verify(
    what: Pick<VerificationContext, "data" | "isStatement">,
    signature: Uint8Array | null,
    type: SignatureType,
    at: number,
    trace: Trace | null,
  ): Verification {
    const version = this.#current;
    const { data } = what;
    const key = signature ?? NOTHING;
    const cached = trace === null ? version.verifications.find(data, key, type, at) : null;
    if (cached !== null) return cached;
    const window = new Window(at);
    const verification = judge(version, type, { ...what, signature, window, trace });
    version.verifications.keep(data, key, type, window, verification);
    return verification;
  }
}

/** A program statement, and the SHA-256 of the object file that it is about in lower-case hex. */
export interface SignedStatement {
  readonly bytes: Uint8Array;
  readonly objectSha256: string;
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

const IS_STATEMENT = refuse(
  "EKEYREJECTED",
  "program statement",
  "the bytes are a program statement, which only `verify_program` takes",
);
const NO_STATEMENT = refuse("EKEYREJECTED", "program statement", "the bytes are not a program statement");

const NO_SIGNATURE: Verification = {
  verdict: -ERRNO.ENODATA,
  reason: "there is no signature",
  rule: "signature present",
  signer: null,
  signers: [],
  paths: [],
  until: Number.POSITIVE_INFINITY,
};

function judge(
  version: KeyringVersion,
  type: SignatureType,
  context: Omit<VerificationContext<Uint8Array | null>, "effort">,
): Verification {
  const { data, window } = context;
  try {
    const outcome = version.blockList.content(data) ?? version.verify(type, context);
    if ("verdict" in outcome) return refused(withRejected(outcome, version), window);
    const missing = tooFew(version.signersNeeded, outcome);
    if (missing !== null) return refused(missing, window);
    return version.good(outcome, window.until);
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    const place = error.place === undefined ? "" : ` at ${error.place}`;
    const reason = `the signature cannot be read: ${error.message}${place}`;
    return refused(refuse("EBADMSG", error.code, reason), window);
  }
}

/** The unknown signer may be a certificate of `trust` that could not be parsed, so the reason names those. */
function withRejected(refusal: Refusal, { rejected: [first, ...others] }: KeyringVersion): Refusal {
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

function refused({ verdict, rule, reason, path }: Refusal, { until }: Window): Verification {
  return {
    verdict,
    reason: boundedReason(reason),
    rule,
    signer: null,
    signers: [],
    paths: path === undefined ? [] : [path],
    until,
  };
}
