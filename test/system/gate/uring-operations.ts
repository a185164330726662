/**
 * Operations of io_uring, by their number (linux/io_uring.h of Linux 6.18), that do not fail on a program, a map or a
 * socket. None of them makes a BPF object. What a newer kernel adds has to be looked at.
 */
export const HARMLESS: Readonly<Record<number, string>> = {
  0: "NOP",
  1: "READV",
  2: "WRITEV",
  6: "POLL_ADD",
  19: "CLOSE",
  22: "READ",
  23: "WRITE",
  24: "FADVISE",
  25: "MADVISE",
  30: "SPLICE",
  31: "PROVIDE_BUFFERS",
  33: "TEE",
  46: "URING_CMD",
};
