import type { Host } from "./hosts.js";

/** Where the buffer of a helper is in the frame of its caller: `at` bytes below the frame pointer, and its size. */
export interface Buffer {
  readonly at: number;
  readonly size: number;
}

/** A way in which bytes of the stack leave the kernel: its instructions, or why programs of this kind lack it. */
export interface WayOut {
  readonly name: string;
  text(buffer: Buffer, host: Host): string | null;
  /** The same for as many bytes as r0 says. */
  counted?(buffer: Buffer): string;
}

/** The largest load that the alignment of the frame and the size of a buffer allow, in bytes. */
export function width(size: number): 1 | 2 | 4 | 8 {
  for (const bytes of [8, 4, 2] as const) if (size % bytes === 0) return bytes;
  return 1;
}

function load(register: string, { at, size }: Buffer, offset: number, bytes = width(size)): string {
  return `${register} = *(u${bytes * 8} *)(r10 - ${at - offset})`;
}

function offsets({ size }: Buffer): number[] {
  const step = width(size);
  return Array.from({ length: size / step }, (_, index) => index * step);
}

const whole = (buffer: Buffer, text: string) => (buffer.size % 8 === 0 && buffer.size <= 96 ? text : null);

export const WAYS_OUT: readonly WayOut[] = [
  {
    name: "load",
    text: (buffer) =>
      offsets(buffer)
        .map(
          (offset) =>
            `r1 = value out + ${offset}; ${load("r2", buffer, offset)}; *(u${width(buffer.size) * 8} *)(r1 + 0) = r2`,
        )
        .join("; "),
  },
  {
    name: "return",
    text: (buffer, host) => {
      if (host.trigger !== "test") return null;
      const bytes = width(Math.min(buffer.size, 4) === 4 && buffer.size % 4 === 0 ? 4 : buffer.size);
      return `${load("r0", buffer, buffer.size - bytes, bytes)}; exit`;
    },
  },
  {
    name: "map",
    text: () =>
      "*(u32 *)(r10 - 4) = 0; r1 = map sized; r2 = r10; r2 += -4; r3 = buffer; r4 = 0; call bpf_map_update_elem",
  },
  {
    name: "ring",
    text: () => "r1 = map ring; r2 = buffer; r3 = size; r4 = 0; call bpf_ringbuf_output",
    counted: () => "r3 = r7; r1 = map ring; r2 = buffer; r4 = 0; call bpf_ringbuf_output",
  },
  {
    name: "perf",
    text: () => "r1 = r6; r2 = map perf; r3 = 0xffffffff ll; r4 = buffer; r5 = size; call bpf_perf_event_output",
    counted: () => "r5 = r7; r1 = r6; r2 = map perf; r3 = 0xffffffff ll; r4 = buffer; call bpf_perf_event_output",
  },
  {
    name: "trace_vprintk",
    text: (buffer) =>
      whole(buffer, "r1 = value format + 0; r2 = format_size; r3 = buffer; r4 = size; call bpf_trace_vprintk"),
  },
  {
    name: "trace_printk",
    text: (buffer) =>
      `${load("r3", buffer, 0)}; ${load("r4", buffer, buffer.size - width(buffer.size))}; ` +
      "r1 = value pair + 0; r2 = 10; call bpf_trace_printk",
  },
  {
    name: "snprintf",
    text: (buffer) =>
      whole(buffer, "r1 = value out + 0; r2 = 256; r3 = value format + 0; r4 = buffer; r5 = size; call bpf_snprintf"),
  },
  {
    name: "packet",
    text: (_, { store }) => store && `r1 = r6; r2 = 0; r3 = buffer; r4 = size; r5 = 0; call ${store}`,
  },
  {
    name: "seq_write",
    text: (_, { trigger }) => (trigger === "iter" ? `${SEQ}; r2 = buffer; r3 = size; call bpf_seq_write` : null),
  },
  {
    name: "seq_printf",
    text: (buffer, { trigger }) =>
      trigger === "iter"
        ? whole(buffer, `${SEQ}; r2 = value format + 0; r3 = format_size; r4 = buffer; r5 = size; call bpf_seq_printf`)
        : null,
  },
];

/** `ctx->meta->seq` of an iterator (struct bpf_iter_meta of include/linux/bpf.h). */
const SEQ = "r1 = *(u64 *)(r6 + 0); r1 = *(u64 *)(r1 + 0)";
