import { clipped } from "../../clipped.js";
import { ERRNO } from "../../errno.js";
import { printable } from "./printable.js";
import type { CertificatePath } from "./signer-identity.js";

/** Why a verification fails: the errno that it becomes, the rule, and a reason for messages. */
export interface Refusal {
  /** Negative errno. */
  readonly verdict: number;
  /** The rule, with its section, such as `RFC 5280 6.1.3 (a)(2)`. */
  readonly rule: string;
  readonly reason: string;
  /** The certificate path that got furthest; absent if none was tried. */
  readonly path?: CertificatePath;
}

type RefusalErrno = "EBADMSG" | "EKEYREJECTED" | "ENOKEY" | "EKEYEXPIRED" | "EKEYREVOKED" | "ENOPKG" | "ENODATA";

export function refuse(errno: RefusalErrno, rule: string, reason: string): Refusal {
  return { verdict: -ERRNO[errno], rule, reason };
}

/** The most characters of the reason of a verification. */
const MAX_REASON = 256;

/**
 * A reason for a decision: whoever makes a signature chooses the names in it, and each decision about it is logged with
 * it.
 */
export function boundedReason(reason: string): string {
  return clipped(reason, MAX_REASON);
}

/** Text from a signature for a reason, in backticks. Only as much is escaped as a reason can have. */
export function quoted(text: string): string {
  return `\`${printable(text.slice(0, MAX_REASON))}\``;
}
