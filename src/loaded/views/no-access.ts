import { ERRNO, errorName } from "../../errno.js";
import { CountersignError } from "../../error.js";

/** What is known of the process that scans. */
export interface Scanner {
  readonly uid: number;
  /** The text of /proc/self/status. */
  readonly status: string;
  /** The inode number of its user namespace; 0 if unknown. */
  readonly userNamespace: number;
}

/** PROC_USER_INIT_INO of linux/proc_ns.h: the inode number of the first user namespace. */
const FIRST_USER_NAMESPACE = 4026531837;
const CAP_SYS_ADMIN = 21n;
const REMEDY = "run it as root, outside of containers";

/** The error of a scan to which the kernel gives no list of programs. `error` is a negative errno. */
export function noAccess(error: number, scanner: Scanner): CountersignError {
  const [message, remedy] = reasonOf(-error, scanner);
  return new CountersignError("SCAN_NO_ACCESS", message, { remedy });
}

function reasonOf(errno: number, { uid, status, userNamespace }: Scanner): readonly [message: string, remedy: string] {
  if (errno === ERRNO.ENOSYS)
    return ["this kernel has no bpf(2)", "scan a machine whose kernel has CONFIG_BPF_SYSCALL"];
  if (errno === ERRNO.EINVAL)
    return ["this kernel has no lists of BPF objects", "scan a machine with Linux 4.13 or later"];
  if (errno !== ERRNO.EPERM && errno !== ERRNO.EACCES)
    return [`the kernel does not list BPF programs: ${errorName(errno)}`, "report this, with `uname -r`"];
  if (uid !== 0) return ["only root can list what the kernel has loaded", "run it as root"];
  if (userNamespace !== 0 && userNamespace !== FIRST_USER_NAMESPACE)
    return ["root of this user namespace cannot list what the kernel has loaded", REMEDY];
  if (!hasSysAdmin(status)) return ["this process lacks CAP_SYS_ADMIN", REMEDY];
  if (/^Seccomp:\t[12]$/m.test(status))
    return ["a seccomp filter denies bpf(2) to this process", "run it outside of containers, and not below a gate"];
  return ["the kernel denies the list of BPF programs", "ask who denies bpf(2): an LSM, or a guard (`seal status`)"];
}

function hasSysAdmin(status: string): boolean {
  const effective = /^CapEff:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> CAP_SYS_ADMIN) & 1n) === 1n;
}
