import type { ArgumentMemory, Extent, Written } from "./argument-access.js";

const sized = (argument: number): Extent => ({ argument });

function reads(index: number, extent: Extent, source: string): ArgumentMemory {
  return { index, extent, reads: true, written: "no", source };
}

function writes(index: number, extent: Extent, written: Written, source: string): ArgumentMemory {
  return { index, extent, reads: false, written, source };
}

/** By name of the helper without `bpf_`. */
export const HELPER_MEMORY_ROWS: readonly (readonly [name: string, memory: readonly ArgumentMemory[]])[] = [
  ["map_lookup_elem", [reads(1, "key", "kernel/bpf/helpers.c: bpf_map_lookup_elem_proto")]],
  [
    "map_update_elem",
    [
      reads(1, "key", "kernel/bpf/helpers.c: bpf_map_update_elem_proto"),
      reads(2, "value", "kernel/bpf/helpers.c: bpf_map_update_elem_proto"),
    ],
  ],
  ["map_delete_elem", [reads(1, "key", "kernel/bpf/helpers.c: bpf_map_delete_elem_proto")]],
  ["map_push_elem", [reads(1, "value", "kernel/bpf/helpers.c: bpf_map_push_elem_proto")]],
  [
    "probe_read_user",
    [writes(0, sized(1), "always", "kernel/trace/bpf_trace.c: bpf_probe_read_user_common clears it on failure")],
  ],
  [
    "probe_read_kernel",
    [writes(0, sized(1), "always", "kernel/trace/bpf_trace.c: bpf_probe_read_kernel_common clears it on failure")],
  ],
  [
    "probe_read_user_str",
    [writes(0, sized(1), "result_bytes", "kernel/trace/bpf_trace.c: bpf_probe_read_user_str_common")],
  ],
  [
    "probe_read_kernel_str",
    [writes(0, sized(1), "result_bytes", "kernel/trace/bpf_trace.c: bpf_probe_read_kernel_str_common")],
  ],
  ["perf_event_output", [reads(3, sized(4), "kernel/trace/bpf_trace.c: bpf_perf_event_output_proto")]],
  ["ringbuf_output", [reads(1, sized(2), "kernel/bpf/ringbuf.c: bpf_ringbuf_output_proto")]],
];
