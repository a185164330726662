import type { StatedProgram } from "./content.js";

/** BPF_TRACE_UPROBE_MULTI of linux/bpf.h. */
const UPROBE_MULTI = 48;

/**
 * The expected attach types with which libbpf may load a stated program: for `usdt`, that of uprobe_multi where the
 * kernel has it.
 */
export function expectedAttachTypes({ section, expected_attach_type: stated }: StatedProgram): readonly number[] {
  return /^\??usdt(?:\.s)?(?:\/|$)/.test(section) ? [stated, UPROBE_MULTI] : [stated];
}
