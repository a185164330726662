/**
 * Programs that hand out an address of the kernel: a source puts it into r6, a way makes something else of it there,
 * and a sink hands that out. `r8` is the context, `A` and `B` are unused slots of 8 bytes in the frame, and the sinks
 * need no register but r6 and r8.
 */

import { codeOf, mapOf } from "../../src/bpf/assembly/assembly.js";
import type { Code, CodeMap } from "../../src/bpf/model/code.js";

export interface Part {
  readonly name: string;
  readonly text: string;
  /** Functions to append. */
  readonly functions?: string;
  /** Only in programs of these types. */
  readonly types?: readonly string[];
  /** Whether the value that it needs, or leaves in r6, is a pointer that was not changed. */
  readonly whole?: true;
}

const format = (name: string, text: string) =>
  mapOf(name, {
    type: "array",
    value_size: 16,
    max_entries: 1,
    frozen: true,
    data: Buffer.from(text.padEnd(16, "\0"), "latin1"),
  });

export const FLOW_MAPS: Readonly<Record<string, CodeMap>> = {
  own: mapOf("own", { type: "array", key_size: 4, value_size: 64, max_entries: 1 }),
  keyed: mapOf("keyed", { type: "hash", key_size: 8, value_size: 8 }),
  ring: mapOf("ring", { type: "ringbuf", key_size: 0, value_size: 0, max_entries: 4096 }),
  events: mapOf("events", { type: "perf_event_array", key_size: 4, value_size: 4, max_entries: 64 }),
  queue: mapOf("queue", { type: "queue", key_size: 0, value_size: 8, max_entries: 8 }),
  hex: format("hex", "%llx\0"),
  hash: format("hash", "%p\0"),
  text: format("text", "%s\0"),
};

const PACKETS = ["xdp", "sched_cls"] as const;
const SKB = ["sched_cls", "cgroup_skb"] as const;

const LOOKUP = "*(u32 *)(r10 - A) = 0; r2 = r10; r2 += -A; r1 = map own; call bpf_map_lookup_elem; if r0 == 0 goto out";

export const SOURCES: readonly Part[] = [
  { name: "the context", text: "r6 = r8" },
  { name: "the frame", text: "r6 = r10" },
  { name: "a place in the frame", text: "r6 = r10; r6 += -16" },
  { name: "a map", text: "r6 = map own" },
  { name: "a map's value", text: "r6 = value own + 8" },
  { name: "a map's value that was looked up", text: `${LOOKUP}; r6 = r0` },
  { name: "a packet", text: "r6 = *(u32 *)(r8 + DATA)", types: PACKETS },
  { name: "the end of a packet", text: "r6 = *(u32 *)(r8 + END)", types: PACKETS },
  { name: "a socket", text: "r6 = *(u64 *)(r8 + 168); if r6 == 0 goto out", types: SKB },
  {
    name: "the socket behind a socket",
    text: "r1 = *(u64 *)(r8 + 168); if r1 == 0 goto out; call bpf_sk_fullsock; if r0 == 0 goto out; r6 = r0",
    types: SKB,
  },
  { name: "the current task", text: "call bpf_get_current_task_btf; r6 = r0", types: ["kprobe", "tracepoint"] },
  { name: "a function", text: "r6 = func nothing", functions: "fn nothing: r0 = 0; exit" },
];

export const WAYS: readonly Part[] = [
  { name: "as it is", text: "", whole: true },
  { name: "spilled and filled", text: "*(u64 *)(r10 - B) = r6; r6 = *(u64 *)(r10 - B)", whole: true },
  {
    name: "returned by a subprogram",
    text: "r1 = r6; call give; r6 = r0",
    functions: "fn give: r0 = r1; exit",
    whole: true,
  },
  {
    name: "from its caller's frame",
    text: "*(u64 *)(r10 - B) = r6; r1 = r10; r1 += -B; call fetch; r6 = r0",
    functions: "fn fetch: r0 = *(u64 *)(r1 + 0); exit",
    whole: true,
  },
  {
    name: "put into its caller's frame",
    text: "r1 = r10; r1 += -B; r2 = r6; call put; r6 = *(u64 *)(r10 - B)",
    functions: "fn put: *(u64 *)(r1 + 0) = r2; r0 = 0; exit",
    whole: true,
  },
  { name: "on one path", text: "call bpf_get_prandom_u32; if r0 == 0 goto met; r6 = 5; met: r1 = 0", whole: true },
  { name: "its lower half", text: "w6 = w6" },
  { name: "its upper half", text: "r6 >>= 32" },
  { name: "shifted up", text: "w6 = w6; r6 <<= 8" },
  { name: "xor a constant", text: "w6 = w6; r6 ^= 1234" },
  { name: "or a random number", text: "w6 = w6; call bpf_get_prandom_u32; r6 |= r0" },
  { name: "some of its bits", text: "w6 = w6; r6 &= 255" },
  { name: "taken from a number", text: "r1 = 0; w1 -= w6; r6 = r1" },
  { name: "multiplied", text: "w6 = w6; r6 *= 3" },
  { name: "divided", text: "w6 = w6; r6 /= 3" },
  { name: "negated", text: "r6 = -r6" },
  { name: "swapped", text: "w6 = w6; r6 = be64 r6" },
  { name: "a byte of its spill", text: "*(u64 *)(r10 - B) = r6; r6 = *(u8 *)(r10 - C)" },
  { name: "half of its spill", text: "*(u64 *)(r10 - B) = r6; r6 = *(u32 *)(r10 - C)" },
  {
    name: "the rest of an overwritten spill",
    text: "*(u64 *)(r10 - B) = r6; *(u8 *)(r10 - B) = 0; r6 = *(u64 *)(r10 - B)",
  },
  { name: "a part in a number's place", text: "*(u64 *)(r10 - B) = 0; *(u32 *)(r10 - B) = r6; r6 = *(u64 *)(r10 - B)" },
  { name: "across two slots", text: "*(u64 *)(r10 - B) = r6; *(u64 *)(r10 - D) = 0; r6 = *(u64 *)(r10 - E)" },
  {
    name: "combined on the stack",
    text: "*(u64 *)(r10 - B) = 1; lock *(u64 *)(r10 - B) += r6; r6 = *(u64 *)(r10 - B)",
  },
];

const VALUE = `r7 = r6; ${LOOKUP}`;
const ON_STACK = "*(u64 *)(r10 - A) = r6";

export const SINKS: readonly Part[] = [
  { name: "stored into a map's value", text: `${VALUE}; *(u64 *)(r0 + 0) = r7` },
  { name: "its lower bytes stored into a map's value", text: `${VALUE}; *(u16 *)(r0 + 8) = r7` },
  { name: "stored into a map's data", text: "r1 = value own + 8; *(u32 *)(r1 + 4) = r6" },
  { name: "added to a map's value", text: `${VALUE}; lock *(u64 *)(r0 + 0) += r7` },
  { name: "fetched against a map's value", text: `${VALUE}; r7 = atomic_fetch_xor((u64 *)(r0 + 0), r7)` },
  { name: "exchanged with a map's value", text: `${VALUE}; r7 = xchg_64(r0 + 0, r7)` },
  {
    name: "as a map's key",
    text: `${ON_STACK}; *(u64 *)(r10 - F) = 0; r1 = map keyed; r2 = r10; r2 += -A; r3 = r10; r3 += -F; r4 = 0; call bpf_map_update_elem`,
  },
  {
    name: "as a map's value",
    text: `${ON_STACK}; *(u64 *)(r10 - F) = 0; r1 = map keyed; r2 = r10; r2 += -F; r3 = r10; r3 += -A; r4 = 0; call bpf_map_update_elem`,
  },
  {
    name: "pushed to a queue",
    text: `${ON_STACK}; r1 = map queue; r2 = r10; r2 += -A; r3 = 0; call bpf_map_push_elem`,
  },
  {
    name: "in a record that is copied",
    text: `${ON_STACK}; r1 = map ring; r2 = r10; r2 += -A; r3 = 8; r4 = 0; call bpf_ringbuf_output`,
  },
  {
    name: "in a record of its own",
    text: "r7 = r6; r1 = map ring; r2 = 8; r3 = 0; call bpf_ringbuf_reserve; if r0 == 0 goto out; *(u64 *)(r0 + 0) = r7; r1 = r0; r2 = 0; call bpf_ringbuf_submit",
  },
  {
    name: "in an event",
    text: `${ON_STACK}; r1 = r8; r2 = map events; r3 = 0; r4 = r10; r4 += -A; r5 = 8; call bpf_perf_event_output`,
    types: ["xdp", "sched_cls", "kprobe", "tracepoint"],
  },
  {
    name: "stored into a packet",
    text: "r1 = *(u32 *)(r8 + DATA); r2 = *(u32 *)(r8 + END); r3 = r1; r3 += 14; if r3 > r2 goto out; *(u32 *)(r1 + 0) = r6",
    types: PACKETS,
  },
  {
    name: "copied into a packet",
    text: `${ON_STACK}; r1 = r8; r2 = 0; r3 = r10; r3 += -A; r4 = 8; r5 = 0; call bpf_skb_store_bytes`,
    types: ["sched_cls"],
  },
  { name: "stored into the context", text: "*(u32 *)(r8 + 8) = r6", types: SKB },
  { name: "as a packet's hash", text: "r1 = r8; r2 = r6; call bpf_set_hash", types: ["sched_cls"] },
  {
    name: "printed",
    text: "r1 = value hex + 0; r2 = 5; r3 = r6; call bpf_trace_printk",
    types: ["kprobe", "tracepoint", "sched_cls", "xdp"],
  },
  {
    name: "printed from the stack",
    text: `${ON_STACK}; r1 = value hex + 0; r2 = 5; r3 = r10; r3 += -A; r4 = 8; call bpf_trace_vprintk`,
    types: ["kprobe", "tracepoint"],
  },
  {
    name: "printed into a text",
    text: `*(u64 *)(r10 - F) = 0; ${ON_STACK}; r1 = r10; r1 += -F; r2 = 8; r3 = value hex + 0; r4 = r10; r4 += -A; r5 = 8; call bpf_snprintf`,
  },
  {
    name: "returned",
    text: "call bpf_get_prandom_u32; if r0 == 0 goto out; r0 = r6; goto end",
    types: ["sched_cls", "kprobe", "tracepoint", "socket_filter"],
  },
];

export const FLOW_TYPES = ["sched_cls", "xdp", "cgroup_skb", "socket_filter", "kprobe", "tracepoint"] as const;

const FIELDS: Readonly<Record<string, readonly [data: string, end: string]>> = { xdp: ["0", "4"] };

/** A program of these parts; null if one of them does not fit the type. */
export function flowOf(type: string, ...parts: readonly Part[]): Code | null {
  if (parts.some(({ types }) => types !== undefined && !types.includes(type))) return null;
  const body = parts.map(({ text }) => text).filter((text) => text !== "");
  const functions = parts.flatMap(({ functions: its }) => its ?? []);
  const text = ["r8 = r1", ...body, "out: r0 = 0", "end: exit", ...functions].join("; ");
  return codeOf(filled(text, type), { type, maps: FLOW_MAPS });
}

/** Distances from the frame's end: A, B, D, F and G are slots, C is the middle of B, H of G, and E of both D and B. */
const PLACES: Readonly<Record<string, number>> = { A: 8, B: 24, C: 20, D: 32, E: 28, F: 40, G: 48, H: 44 };

function filled(text: string, type: string): string {
  const [data, end] = FIELDS[type] ?? ["76", "80"];
  return text
    .replace(/(- ?)([A-H])\b/g, (_, minus, place) => `${minus}${PLACES[place]}`)
    .replace(/\bDATA\b/g, data)
    .replace(/\bEND\b/g, end);
}

export interface Flow {
  /** `xdp: a packet, shifted up, returned`. */
  readonly name: string;
  readonly source: Part;
  readonly way: Part;
  readonly sink: Part;
  readonly code: Code;
}

/** A program for each source, way and sink that some type allows together; types take turns. */
export function flowsOf(sources: readonly Part[]): Flow[] {
  let turn = 0;
  return sources.flatMap((source) =>
    WAYS.flatMap((way) =>
      SINKS.flatMap((sink) => {
        for (const _ of FLOW_TYPES) {
          const type = FLOW_TYPES[turn++ % FLOW_TYPES.length]!;
          const code = flowOf(type, source, way, sink);
          if (code !== null)
            return [{ name: `${type}: ${source.name}, ${way.name}, ${sink.name}`, source, way, sink, code }];
        }
        return [];
      }),
    ),
  );
}
