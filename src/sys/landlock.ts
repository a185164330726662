import { syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** Constants of linux/landlock.h. Both scopes need ABI 6 (Linux 6.12). */
const CREATE_RULESET_VERSION = 1;
const SCOPE_ABSTRACT_UNIX_SOCKET = 1;
const SCOPE_SIGNAL = 2;

/** The first Landlock ABI with scopes. */
export const SCOPES_ABI = 6;

/** Returns the kernel's Landlock ABI, or a negative errno if the kernel has no Landlock. */
export function landlockAbi(): number {
  return syscall(NR.landlock_create_ruleset, 0, 0, CREATE_RULESET_VERSION);
}

/**
 * Moves the calling thread, and all threads and processes that it starts later, into a Landlock domain (landlock(7)).
 * The domain does not restrict files or networks. Inside it, a task cannot trace processes outside of it, read their
 * memory, copy their fds, send signals to them, or connect to their abstract sockets. Returns 0 or a negative errno.
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
