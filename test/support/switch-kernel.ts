import { BtfWriter } from "../../src/bpf/assembly/btf-writer.js";

interface Choices {
  /** Offset in bytes of the first field of task_struct that the example `switch-watch` reads. */
  readonly at?: number;
  /** Whether the kernel's tags are SHA-256. */
  readonly sha256?: boolean;
  /** Whether it has the tracepoint sched_switch. */
  readonly target?: boolean;
  /** Whether task_struct has the field `prio`. */
  readonly prio?: boolean;
}

/** BTF of a kernel for the example `switch-watch`. */
export function switchKernel({ at = 0, sha256 = true, target = true, prio = true }: Choices = {}): BtfWriter {
  const btf = new BtfWriter();
  const int = btf.int("int", 4, { encoding: 1 });
  const bit = 8 * at;
  btf.struct("task_struct", at + 24, [
    ["real_parent", btf.ptr(0), bit],
    ["pid", int, bit + 64],
    [prio ? "prio" : "priority", int, bit + 96],
  ]);
  const byte = btf.int("unsigned char", 1);
  const tag = btf.array(byte, 8);
  const union = btf.union("", 32, [...(sha256 ? [["digest", btf.array(byte, 32), 0] as const] : []), ["tag", tag, 0]]);
  btf.struct("bpf_prog", 40, [["", union, 0]]);
  if (target) btf.typedef("btf_trace_sched_switch", btf.ptr(btf.proto(0, [])));
  return btf;
}

/** Split BTF of a module with that tracepoint. */
export function switchModule(vmlinux: BtfWriter): Buffer {
  const module = new BtfWriter("little", vmlinux);
  module.typedef("btf_trace_sched_switch", module.ptr(module.proto(0, [])));
  return module.bytes();
}
