/**
 * Says that a part of a kernel has to be read, which cannot be done synchronously. It passes through the relocator,
 * which only handles CountersignError.
 */
export class Unread extends Error {
  constructor(readonly what: "vmlinux" | "modules" | "types of modules") {
    super(`${what} must be read first`);
  }
}
