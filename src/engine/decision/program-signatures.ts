import type { Mismatch, ProgramSubject, Statement } from "../../bpf/model/facts.js";
import { ERRNO } from "../../errno.js";
import { CountersignError } from "../../error.js";
import type { Keyring } from "../../trust/keyring.js";
import type { Signer } from "../../trust/model/signer.js";
import type { Verification } from "../../trust/model/verification.js";
import { extendedBy } from "../statements/extended-statements.js";
import { moreTelling, type Rejection, type StatementToVerify, verifyStored } from "../statements/verify-statement.js";

/** Finds program statements by the SHA-256 of their bytes. */
export interface StatementSource {
  /** Null if there is none. The same statement is always the same object. */
  ofSha256(sha256: string): StatementToVerify | null;
}

/** What `verify_program` answers, and why. */
export interface ProgramVerification {
  readonly verdict: number;
  readonly reason: string;
  /** The rule that failed; null if none did, or none is known. */
  readonly rule: string | null;
  /** The index in the subject's `statements` of the statement that is verified; -1 if none is. */
  readonly statement: number;
  /** Empty if none is verified. */
  readonly signers: readonly Signer[];
  /** See {@link Verification.paths}. */
  readonly paths: Verification["paths"];
}

type Stated = Pick<ProgramSubject, "digest" | "signature" | "statements" | "mismatches">;

/** Verifies who signed the statements that programs match. */
export class ProgramSignatures {
  readonly #known = new WeakMap<StatementToVerify, WeakMap<Keyring, Known>>();

  constructor(private readonly source: StatementSource) {}

  /**
   * Whether a statement that the program matches is signed by a signer of the keyring. Of several such statements the
   * one with the lowest SHA-256 counts. `at` is the time of the hook.
   */
  verify(program: Stated, keyring: Keyring, at: number): ProgramVerification {
    const { statements } = program;
    const revoked = keyring.revocationOf(program.digest, "the program's digest");
    if (revoked !== null) return rejected(revoked);
    const inOrder = [...statements.keys()].sort((a, b) => (sha256At(statements, a) < sha256At(statements, b) ? -1 : 1));
    let failed: Rejection | null = null;
    for (const index of inOrder) {
      const sha256 = sha256At(statements, index);
      const verification = this.#verified(sha256, keyring, at);
      if (verification === null) continue;
      const unsigned = isAccepted(verification) ? this.#unsignedTarget(statements[index]!, keyring, at) : null;
      if (isAccepted(verification) && unsigned === null) return accepted(verification, index, sha256);
      failed = moreTelling(failed, unsigned ?? verification);
    }
    return this.#misfit(program, keyring, at) ?? (failed === null ? unstated(program) : rejected(failed));
  }

  /** The rejection of a program that extends one of which the keyring takes no statement; null for any other. */
  #unsignedTarget(statement: Statement, keyring: Keyring, at: number): Rejection | null {
    const target = extendedBy(statement);
    if (target === null || target.some(({ sha256 }) => this.#verified(sha256, keyring, at)?.verdict === 0)) return null;
    return {
      verdict: -ERRNO.EKEYREJECTED,
      reason: "no signer of the keyring signed a statement that the program matches which it extends",
    };
  }

  /**
   * The rejection by a statement that the keyring takes, but that does not fit the program; null if there is none. Maps
   * are compared last: a program that differs only in a map is nearer to the statement than one that differs itself.
   */
  #misfit({ mismatches }: Stated, keyring: Keyring, at: number): ProgramVerification | null {
    const nearest = [...mismatches.filter(isOfMap), ...mismatches.filter((mismatch) => !isOfMap(mismatch))];
    for (const { statement, property, expected, found } of nearest)
      if (this.#verified(statement, keyring, at)?.verdict === 0) {
        const difference = `\`${property}\` is \`${found}\`, not \`${expected}\``;
        return rejected({
          verdict: -ERRNO.EKEYREJECTED,
          reason: `it is not what was signed: ${difference} (statement ${statement})`,
        });
      }
    return null;
  }

  /** The verification of one statement; null if the source does not have it. */
  #verified(sha256: string, keyring: Keyring, at: number): Rejection | Verification | null {
    const statement = this.source.ofSha256(sha256);
    if (statement === null) return null;
    const known = this.#known.get(statement)?.get(keyring);
    if (known !== undefined && isCurrent(known, keyring, at)) return known.verification;
    const verification = readable(() => verifyStored(statement, keyring, at));
    if (!("signers" in verification)) return verification;
    const keyrings = this.#known.get(statement) ?? new WeakMap<Keyring, Known>();
    this.#known.set(statement, keyrings.set(keyring, { verification, generation: keyring.generation, from: at }));
    return verification;
  }
}

/** The result for one statement by one version of a keyring, and the time for which it was found. */
interface Known {
  readonly verification: Verification;
  readonly generation: number;
  readonly from: number;
}

function isCurrent({ generation, from, verification }: Known, keyring: Keyring, at: number): boolean {
  return generation === keyring.generation && at >= from && at < verification.until;
}

/** A file of a signature that cannot be read is no signature, and keeps no other statement from being used. */
function readable(verify: () => Verification): Verification | Rejection {
  try {
    return verify();
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return { verdict: -ERRNO.EBADMSG, reason: `a signature cannot be used: ${error}` };
  }
}

/** Only properties of maps have a dot, after the map's name (bpf/recognition/properties.ts). */
function isOfMap({ property }: Mismatch): boolean {
  return property.includes(".");
}

function sha256At(statements: readonly Statement[], index: number): string {
  return (statements[index] as Statement).sha256;
}

function isAccepted(result: Rejection | Verification): result is Verification {
  return result.verdict === 0;
}

function accepted({ reason, signers, paths }: Verification, statement: number, sha256: string): ProgramVerification {
  return { verdict: 0, reason: `${reason} (statement ${sha256})`, rule: null, statement, signers, paths };
}

function rejected({ verdict, reason, rule = null, paths = [] }: Rejection): ProgramVerification {
  return { verdict, reason, rule, statement: -1, signers: [], paths };
}

/** The answer for a program that no signed statement is about. */
export function unstated({ signature }: Pick<Stated, "signature">): ProgramVerification {
  const reason =
    signature === null
      ? "it matches no statement in the folders of signatures: sign its object with `sign --programs`"
      : "it was signed before relocation: sign its object again with `sign --programs`";
  return rejected({ verdict: -ERRNO.ENODATA, reason });
}
