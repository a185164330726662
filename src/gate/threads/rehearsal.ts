import type { CodeMap } from "../../bpf/code.js";
import type { ProgramFacts } from "../../bpf/facts.js";
import { factsOfLoad } from "../../bpf/load.js";
import type { Current } from "../../policy/current.js";
import { LOAD } from "../call/attr.js";
import { readAsker } from "../call/current.js";
import { PROBES } from "../load/probes.gen.js";
import type { Wardrobe } from "../sys/credentials.js";
import { close, openThread } from "../sys/pidfd.js";

/** How often all of it is done: enough for what is done at every call to have been compiled. */
const ROUNDS = 12;

/** What a rehearsal ended with: a program as policies see it, and who the gate itself is. */
export interface Rehearsed {
  readonly facts: ProgramFacts;
  readonly current: Current | null;
}

/**
 * Finds out who the gate itself is, and the facts of the probes that every loader begins with and of a longer program, so that
 * the first real call does not wait while the engine of JavaScript reads and compiles what it needs: that takes as long as many
 * decisions, and the command is not there yet.
 */
export function rehearse(wardrobe: Wardrobe): Rehearsed {
  const pidfd = openThread(process.pid, process.pid);
  const asker = readAsker(process.pid, pidfd, null);
  const insns = usualProgram();
  let facts = look(TRACEPOINT, 0, insns, "GPL");
  for (let round = 1; round < ROUNDS; round += 1) {
    const identity = readAsker(process.pid, pidfd, null)?.identity("call");
    if (identity) wardrobe.wear(identity, () => 0);
    for (const { type, expectedAttachType, insns, license } of OF_LIBBPF)
      look(type, expectedAttachType, Buffer.from(insns, "hex"), license);
    facts = look(TRACEPOINT, 0, insns, "GPL");
  }
  close(pidfd);
  return { facts, current: asker?.current ?? null };
}

/** Those that most loaders begin with. */
const OF_LIBBPF = PROBES.filter(({ loaders }) => loaders.some((loader) => loader.startsWith("libbpf")));

/** BPF_PROG_TYPE_TRACEPOINT of linux/bpf.h. */
const TRACEPOINT = 5;

function look(type: number, expectedAttachType: number, bytes: Uint8Array, license: string): ProgramFacts {
  const insns = new Uint8Array(bytes);
  const attr = new DataView(new ArrayBuffer(LOAD.size));
  attr.setUint32(LOAD.progType, type, true);
  attr.setUint32(LOAD.insnCount, insns.byteLength / 8, true);
  attr.setUint32(LOAD.expectedAttachType, expectedAttachType, true);
  return factsOfLoad({
    attr: new Uint8Array(attr.buffer),
    insns,
    license,
    btf: null,
    funcInfo: NONE,
    lineInfo: NONE,
    coreRelos: NONE,
    kernel: null,
    fds: { mapByFd: () => MAP, mapByIndex: () => null },
  });
}

const NONE = new Uint8Array(0);

const MAP: CodeMap = {
  ...{ name: "rehearsal", type: "hash", key_size: 8, value_size: 64, max_entries: 1, flags: 0, contents: null },
  ...{ own: true, data: null, frozen: false, inner: null },
};

/** Opcode, destination, source, offset and immediate of an instruction (struct bpf_insn of linux/bpf.h). */
type Insn = readonly [code: number, dst: number, src: number, off: number, imm: number];

/** What tracers do over and over: look at the context, find an entry of a map, count in it, and read memory into the stack. */
const STEP: readonly Insn[] = [
  [0x79, 7, 6, 16, 0], // r7 = *(u64 *)(r6 + 16)
  [0x7b, 10, 7, -8, 0], // *(u64 *)(r10 - 8) = r7
  [0xbf, 2, 10, 0, 0], // r2 = r10
  [0x07, 2, 0, 0, -8], // r2 += -8
  [0x18, 1, 1, 0, 3], // r1 = map fd 3, in two slots
  [0x00, 0, 0, 0, 0],
  [0x85, 0, 0, 0, 1], // call map_lookup_elem
  [0x15, 0, 0, 11, 0], // if r0 == 0 goto the next step
  [0xbf, 8, 0, 0, 0], // r8 = r0
  [0x61, 1, 8, 4, 0], // r1 = *(u32 *)(r8 + 4)
  [0x25, 1, 0, 8, 32], // if r1 > 32 goto the next step
  [0x07, 1, 0, 0, 1], // r1 += 1
  [0x63, 8, 1, 4, 0], // *(u32 *)(r8 + 4) = r1
  [0xbf, 1, 10, 0, 0], // r1 = r10
  [0x07, 1, 0, 0, -16], // r1 += -16
  [0xb7, 2, 0, 0, 8], // r2 = 8
  [0xbf, 3, 7, 0, 0], // r3 = r7
  [0x85, 0, 0, 0, 112], // call probe_read_user
  [0x85, 0, 0, 0, 14], // call get_current_pid_tgid
];
const STEPS = 40;

function usualProgram(): Uint8Array {
  const code: Insn[] = [[0xbf, 6, 1, 0, 0]]; // r6 = r1
  for (let step = 0; step < STEPS; step += 1) code.push(...STEP);
  code.push([0xb7, 0, 0, 0, 0], [0x95, 0, 0, 0, 0]); // r0 = 0, exit
  const view = new DataView(new ArrayBuffer(8 * code.length));
  for (const [index, [opcode, dst, src, off, imm]] of code.entries()) {
    view.setUint8(8 * index, opcode);
    view.setUint8(8 * index + 1, dst | (src << 4));
    view.setInt16(8 * index + 2, off, true);
    view.setInt32(8 * index + 4, imm, true);
  }
  return new Uint8Array(view.buffer);
}
