/**
 * Errno names and numbers (include/uapi/asm-generic/errno-base.h and errno.h), which x86-64, arm64 and most other
 * architectures use. A verdict is 0 or the negative of an errno.
 */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOSPC: 28,
  EROFS: 30,
  ERANGE: 34,
  ENOSYS: 38,
  ELOOP: 40,
  ENODATA: 61,
  ENOPKG: 65,
  EBADMSG: 74,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EALREADY: 114,
  ENOKEY: 126,
  EKEYEXPIRED: 127,
  EKEYREVOKED: 128,
  EKEYREJECTED: 129,
} as const;

export type ErrnoName = keyof typeof ERRNO;

/** The largest errno that a system call may return negated (MAX_ERRNO in include/linux/err.h). */
const MAX_ERRNO = 4095;

const names = new Map<number, ErrnoName>(Object.entries(ERRNO).map(([name, number]) => [number, name as ErrnoName]));

/** The name of a verdict: `0` for 0, `-EPERM` for -1, and the number itself if this table has no name for it. */
export function verdictName(verdict: number): string {
  if (verdict === 0) return "0";
  const name = names.get(-verdict);
  return name === undefined ? String(verdict) : `-${name}`;
}

/** The name of a positive errno: `EPERM`, or `errno 4095` if this table has no name for it. */
export function errorName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

/** Whether a value can be a verdict: the integer 0 or one in -4095…-1. */
export function isVerdict(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) <= 0 && (value as number) >= -MAX_ERRNO && !Object.is(value, -0);
}
