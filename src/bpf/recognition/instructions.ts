import { disassemble } from "../insn/disassembly.js";
import { decodeInsns, INSN_SIZE, LD_SRC, OP } from "../insn/insn.js";
import type { LiveProgramLoad } from "./live-load.js";
import { differ, differInMap } from "./properties.js";
import { type ExpectedProgram, missingMapAt } from "./stated-program.js";

/** The stated maps that a load uses, and those that its loader did not create. */
export interface MapUse {
  /** Indexes of the stated maps that the program uses, and the slots of their references. */
  readonly used: ReadonlyMap<number, readonly number[]>;
  /** Indexes of the stated maps that the loader did not create: libbpf replaced all references to them. */
  readonly missing: ReadonlySet<number>;
}

/**
 * Requires that the instructions of a load are the expected ones, with references to maps in the same places and at the
 * same offsets. Which map a reference names is checked by {@link assignMaps}. Throws Differs.
 */
export function compareInstructions(expected: ExpectedProgram, load: LiveProgramLoad): MapUse {
  const wanted = expected.insns;
  const { insns } = load;
  if (wanted.length !== insns.length)
    differ("insns", `${wanted.length / INSN_SIZE} instructions`, `${insns.length / INSN_SIZE} instructions`);
  const base = load.coreRelos.bytes.length > 0 ? beforeRelocation(expected) : wanted;
  const plain = new Uint8Array(insns);
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  const used = new Map<number, number[]>();
  const missing = new Set<number>();
  for (const { slot, map, offset } of expected.program.map_references) {
    const at = slot * INSN_SIZE;
    if (missingMapAt(insns, slot) === map) {
      plain.set(base.subarray(at, at + 2 * INSN_SIZE), at);
      missing.add(map);
      continue;
    }
    if (!isSameForm(plain, base, at)) continue; // the comparison of all instructions below reports this
    const { name } = expected.object.maps[map]!;
    const found = view.getInt32(at + INSN_SIZE + 4, true);
    if (found !== (offset ?? 0)) differInMap(name, "offset", `${offset ?? 0} at instruction ${slot}`, String(found));
    plain.fill(0, at + 4, at + INSN_SIZE);
    plain.fill(0, at + INSN_SIZE + 4, at + 2 * INSN_SIZE);
    const slots = used.get(map);
    if (slots === undefined) used.set(map, [slot]);
    else slots.push(slot);
  }
  clearBtfFds(plain);
  if (Buffer.compare(plain, base) !== 0) differAtFirst(base, plain, insns);
  for (const map of missing)
    if (used.has(map))
      differInMap(expected.object.maps[map]!.name, "map", "one map", "a map in some places, and none in others");
  return { used, missing };
}

/** Whether two slots have the same opcode, registers and offset, and the second one the same except its immediate. */
function isSameForm(insns: Uint8Array, wanted: Uint8Array, at: number): boolean {
  for (const start of [at, at + INSN_SIZE])
    for (let index = start; index < start + 4; index++) if (insns[index] !== wanted[index]) return false;
  return true;
}

/** The instructions before CO-RE relocation, with the references to kernel symbols that loaders resolve themselves. */
export function beforeRelocation({ unrelocated, insns, program }: ExpectedProgram): Uint8Array {
  const base = new Uint8Array(unrelocated);
  for (const { slot } of program.extern_references) {
    const at = slot * INSN_SIZE;
    const end = at + (insns[at] === OP.LD_IMM64 ? 2 : 1) * INSN_SIZE;
    base.set(insns.subarray(at, end), at);
  }
  return base;
}

/** Zeroes the fds of BTF objects in `ld_imm64` with src 3. */
function clearBtfFds(insns: Uint8Array): void {
  for (let at = 0; at + 2 * INSN_SIZE <= insns.length; at += INSN_SIZE) {
    if (insns[at] !== OP.LD_IMM64) continue;
    if (insns[at + 1]! >> 4 === LD_SRC.BTF_ID) insns.fill(0, at + INSN_SIZE + 4, at + 2 * INSN_SIZE);
    at += INSN_SIZE;
  }
}

/** Names the first instruction that differs, as it was passed. */
function differAtFirst(wanted: Uint8Array, plain: Uint8Array, given: Uint8Array): never {
  let at = 0;
  while (wanted[at] === plain[at]) at += 1;
  const slot = firstSlot(wanted, Math.floor(at / INSN_SIZE));
  const text = (bytes: Uint8Array) => disassemble(decodeInsns(bytes), slot);
  const [expected, found] = [text(wanted), text(given)];
  if (expected !== found) differ("insns", `${expected} at instruction ${slot}`, found);
  const hex = (bytes: Uint8Array) =>
    Buffer.from(bytes.subarray(slot * INSN_SIZE, (slot + 2) * INSN_SIZE)).toString("hex");
  differ("insns", `${hex(wanted)} at instruction ${slot}`, hex(given));
}

/** The slot before, if this one is the second half of an `ld_imm64`. */
function firstSlot(insns: Uint8Array, slot: number): number {
  let at = 0;
  while (at < slot) {
    const next = at + (insns[at * INSN_SIZE] === OP.LD_IMM64 ? 2 : 1);
    if (next > slot) return at;
    at = next;
  }
  return at;
}
