import { syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** linux/landlock.h: version query, and the two scopes, which came with ABI 6 (Linux 6.12). */
const CREATE_RULESET_VERSION = 1;
const SCOPE_ABSTRACT_UNIX_SOCKET = 1;
const SCOPE_SIGNAL = 2;

/** The Landlock ABI that first had scopes. */
export const SCOPES_ABI = 6;

/** The kernel's Landlock ABI, or a negative errno where it has none. */
export function landlockAbi(): number {
  return syscall(NR.landlock_create_ruleset, 0, 0, CREATE_RULESET_VERSION);
}

/**
 * Puts the calling thread, and what it starts from then on, into a domain that takes no right to files or networks: from
 * inside, processes outside cannot be traced, their memory and fds not taken, no signal sent to them and no abstract
 * socket of theirs connected to (landlock(7)). 0 or a negative errno.
 */
export function enterDomain(): number {
  // struct landlock_ruleset_attr: handled_access_fs, handled_access_net, scoped; each u64
  const attributes = new BigUint64Array([0n, 0n, BigInt(SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL)]);
  const ruleset = syscall(NR.landlock_create_ruleset, attributes, attributes.byteLength, 0);
  if (ruleset < 0) return ruleset;
  const result = syscall(NR.landlock_restrict_self, ruleset, 0);
  syscall(NR.close, ruleset);
  return result;
}
