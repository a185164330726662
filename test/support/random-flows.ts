/**
 * Programs of random lines that move numbers and addresses between registers, the frame, maps, the packet and helpers.
 * They are valid but for what the verifier says about addresses and types, so that many of them are rejected for an
 * address that leaves.
 */

import { codeOf } from "../../src/bpf/assembly/assembly.js";
import type { Code } from "../../src/bpf/model/code.js";
import { FLOW_MAPS } from "./address-flows.js";

type Draw = (below: number) => number;

const REGISTERS = [0, 6, 7] as const;
const SLOTS = [8, 16, 24, 32] as const;

/** A line, or a few that belong together; r8 is the context and r9 points to a map's value. */
const LINES: readonly ((register: () => string, slot: () => number, next: Draw) => string)[] = [
  (register) => `${register()} = r8`,
  (register) => `${register()} = r10`,
  (register) => `${register()} = r9`,
  (register) => `${register()} = map own`,
  (register, _, next) => `${register()} = ${next(1000)}`,
  (register) => `${register()} = *(u32 *)(r8 + 4)`,
  (register) => `${register()} = *(u64 *)(r9 + 8)`,
  (register) => `${register()} = ${register()}`,
  (register, _, next) => `${register()} += ${8 * next(4)}`,
  (register) => `${register()} += ${register()}`,
  (register) => `${register()} -= ${register()}`,
  (register, slot) => `*(u64 *)(r10 - ${slot()}) = ${register()}`,
  (register, slot) => `*(u64 *)(r10 - ${slot()}) = ${register()}`,
  (register, slot) => `*(u32 *)(r10 - ${slot()}) = ${register()}`,
  (register, slot) => `${register()} = *(u64 *)(r10 - ${slot()})`,
  (register, slot) => `${register()} = *(u64 *)(r10 - ${slot()})`,
  (register, slot) => `${register()} = *(u32 *)(r10 - ${slot()})`,
  (_, slot) => `*(u64 *)(r10 - ${slot()}) = 0`,
  (register) => `*(u64 *)(r9 + 0) = ${register()}`,
  (register) => `*(u32 *)(r9 + 4) = ${register()}`,
  (register) => `*(u32 *)(r8 + 8) = ${register()}`,
  (register) => `lock *(u64 *)(r9 + 8) += ${register()}`,
  (register) => `${register()} = xchg_64(r9 + 8, r0)`,
  (register) => `r1 = r8; r2 = ${register()}; call bpf_set_hash`,
  (_, slot) =>
    `r1 = map keyed; r2 = r10; r2 += -${slot()}; r3 = r10; r3 += -${slot()}; r4 = 0; call bpf_map_update_elem`,
  (_, slot) => `r1 = map ring; r2 = r10; r2 += -${slot()}; r3 = 8; r4 = 0; call bpf_ringbuf_output`,
  (_, slot) => `r1 = map keyed; r2 = r10; r2 += -${slot()}; call bpf_map_lookup_elem; r0 = 0`,
];

/** The longest program, in drawn lines. */
const MOST = 12;

export function randomFlow(next: Draw): { readonly text: string; readonly code: Code } {
  const register = () => `r${REGISTERS[next(REGISTERS.length)]}`;
  const slot = () => SLOTS[next(SLOTS.length)]!;
  const start = ["r8 = r1", "r9 = value own + 8", "r0 = 0", "r6 = 0", "r7 = 0"];
  const drawn = Array.from({ length: 1 + next(MOST) }, () => LINES[next(LINES.length)]!(register, slot, next));
  const end = next(3) === 0 ? [] : ["r0 = 0"];
  const lines = [...start, ...SLOTS.map((at) => `*(u64 *)(r10 - ${at}) = 0`), ...drawn, ...end, "exit"];
  const text = lines.join("; ").replace(/(r\d) = xchg_64\((.*), r0\)/, "$1 = xchg_64($2, $1)");
  return { text, code: codeOf(text, { type: "sched_cls", maps: FLOW_MAPS }) };
}
