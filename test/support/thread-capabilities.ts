import { capabilities } from "../../src/sys/credentials.js";
import { syscall } from "../../src/sys/libc.js";
import { NR } from "../../src/sys/numbers.js";

/** Bits of include/uapi/linux/capability.h. */
export const CAP = { NET_ADMIN: 1n << 12n, SYS_ADMIN: 1n << 21n, PERFMON: 1n << 38n, BPF: 1n << 39n } as const;

const VERSION_3 = 0x20080522;

/** Does something with these capabilities of the calling thread alone, and gives it back those that it had. */
export function withCapabilities<T>(effective: bigint, work: () => T): T {
  const had = capabilities();
  setEffective(effective & had.permitted);
  try {
    return work();
  } finally {
    setEffective(had.effective);
  }
}

/** Throws if the kernel refuses. */
function setEffective(effective: bigint): void {
  const { permitted, inheritable } = capabilities();
  const sets = [effective, permitted, inheritable];
  const words = [...sets.map((set) => Number(set & 0xffffffffn)), ...sets.map((set) => Number(set >> 32n))];
  const result = syscall(NR.capset, Uint32Array.of(VERSION_3, 0), Uint32Array.from(words));
  if (result < 0) throw new Error(`capset: errno ${-result}`);
}
