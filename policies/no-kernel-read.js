// No program may read the kernel's memory, signed or not: what the kernel's lockdown calls confidentiality.
import { deny } from "countersign";

export const bpf_prog_load = (prog) => (prog.effects.reads_kernel_memory ? deny("may read kernel memory") : 0);
