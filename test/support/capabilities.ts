import { capabilities } from "../../src/sys/credentials.js";
import { syscall } from "../../src/sys/libc.js";
import { NR } from "../../src/sys/numbers.js";

export const CAP_SYS_ADMIN = 21;
export const CAP_PERFMON = 38;

/** Calls `act` while this thread does not have these capabilities in effect. */
export function withoutCapabilities<T>(dropped: readonly number[], act: () => T): T {
  const before = capabilities();
  set({
    ...before,
    effective: dropped.reduce((left, capability) => left & ~(1n << BigInt(capability)), before.effective),
  });
  try {
    return act();
  } finally {
    set(before);
  }
}

/** _LINUX_CAPABILITY_VERSION_3 of linux/capability.h. */
const VERSION = 0x20080522;

function set(sets: ReturnType<typeof capabilities>): void {
  const words = [sets.effective, sets.permitted, sets.inheritable];
  const data = Uint32Array.from([
    ...words.map((word) => Number(word & 0xffffffffn)),
    ...words.map((word) => Number(word >> 32n)),
  ]);
  const result = syscall(NR.capset, Uint32Array.of(VERSION, 0), data);
  if (result < 0) throw new Error(`capset: errno ${-result}`);
}
