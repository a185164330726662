import { hash } from "node:crypto";
import type { Btf } from "../btf/btf.js";
import { tagOf } from "../insn/digest.js";

/** A relocated program, as far as its tag is concerned. */
export interface Tagged {
  readonly insns: Uint8Array;
  /** The tag of Linux 6.18 and later; null if it depends on the numbers of fds. */
  readonly tag: string | null;
}

/**
 * The tag that a kernel reports for a program: 8 bytes of SHA-256 from Linux 6.18 on, of SHA-1 before
 * (bpf_prog_calc_tag, kernel/bpf/core.c). Null if it depends on the numbers of fds.
 */
export function tagOnKernel(vmlinux: Btf, { insns, tag }: Tagged): string | null {
  if (tag === null || hasDigest(vmlinux)) return tag;
  return tagOf(hash("sha1", insns, "hex"));
}

/** Whether `struct bpf_prog` has the member `digest`, in an anonymous union, which came with SHA-256. */
function hasDigest(vmlinux: Btf): boolean {
  const members = vmlinux.members(vmlinux.find("struct", "bpf_prog"));
  const inner = members.filter(({ name }) => name === "").flatMap(({ type }) => vmlinux.members(vmlinux.resolve(type)));
  return [...members, ...inner].some(({ name }) => name === "digest");
}
