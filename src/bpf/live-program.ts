import { LeaderTable } from "./analysis/states/leader-table.js";
import { Scratch } from "./analysis/values/scratch.js";
import type { Btf } from "./btf/btf.js";
import { RECORD_FIELDS, Records, sourceOf } from "./btf/btf-ext.js";
import { Bytes } from "./elf/bytes.js";
import {
  type ByteOrder,
  CALL_SRC,
  decodeInsns,
  firstCallOrWide,
  INSN_SIZE,
  type Insns,
  LD_SRC,
  MAX_FUNCTIONS,
  OP,
} from "./insn/insn.js";
import type { Code, CodeFunction, CodeMap, KernelName, MapReference, Rewrite, Translation } from "./model/code.js";
import { rewriteOf } from "./object/core-relo.js";
import { globalDataName } from "./object/map-definition.js";

/** Resolves the file descriptors of a load. References to the same map must return the same object. */
export interface LoadFds {
  /** The map of an fd in an instruction (src 1 and 2); null if it is not a map. */
  mapByFd(fd: number): CodeMap | null;
  /** The map of an entry of fd_array (src 5 and 6). */
  mapByIndex(index: number): CodeMap | null;
}

export interface LiveParts {
  readonly name: string;
  readonly insns: Uint8Array;
  readonly type: string;
  readonly expectedAttachType: string | null;
  readonly attachTo: string | null;
  readonly btf: Btf | null;
  /** BTF of the running kernel, for the names of BTF ids. */
  readonly kernel: Pick<Btf, "count" | "kind" | "name"> | null;
  readonly functions: Records | null;
  readonly lines: Records | null;
  readonly relocations: Records | null;
  readonly fds: LoadFds;
  /** The memory of the instructions, which the program must then not outlive. */
  readonly scratch?: Scratch;
  /** How the verifier has changed the instructions; absent if they are those of a load. */
  readonly translation?: (insns: Insns) => Translation;
}

/** The program of a live bpf(2) as input of the analysis. Its BTF ids are those of the running kernel. */
export class LiveProgram implements Code {
  readonly insns: Insns;
  readonly byteOrder: ByteOrder = "little";
  readonly type: string;
  readonly expectedAttachType: string | null;
  readonly attachTo: string | null;
  readonly functions: readonly CodeFunction[];
  readonly btf: Btf | null;
  readonly translation: Translation | null;
  readonly #parts: LiveParts;
  /** References to maps themselves, not to a place in their values. */
  readonly #maps = new Map<CodeMap, MapReference>();
  /** For each slot, 1 + the index of its CO-RE relocation record; 0 for none. */
  #rewrites: Int32Array | undefined;

  constructor(parts: LiveParts) {
    this.#parts = parts;
    const { scratch = new Scratch() } = parts;
    this.insns = decodeInsns(parts.insns, this.byteOrder, (bytes) => scratch.takeAny((bytes + 3) >> 2));
    this.type = parts.type;
    this.expectedAttachType = parts.expectedAttachType;
    this.attachTo = parts.attachTo;
    this.btf = parts.btf;
    this.functions = functionsOf(this.insns, parts, scratch);
    this.translation = parts.translation?.(this.insns) ?? null;
  }

  mapAt(slot: number): MapReference | null {
    return this.insns.opcode[slot] === OP.LD_IMM64 ? this.#reference(slot) : null;
  }

  kfuncAt(slot: number): KernelName | null {
    const { opcode, src, imm, off } = this.insns;
    if (opcode[slot] !== OP.CALL || src[slot] !== CALL_SRC.KFUNC) return null;
    // A non-zero `off` selects the BTF of a module, whose ids are not those of vmlinux.
    return off[slot] === 0 ? this.#kernelName(imm[slot]!, "func") : null;
  }

  ksymAt(slot: number): KernelName | null {
    const { opcode, src, imm, count } = this.insns;
    if (opcode[slot] !== OP.LD_IMM64 || src[slot] !== LD_SRC.BTF_ID || slot + 1 >= count) return null;
    // The upper word is the fd of a module's BTF.
    return imm[slot + 1] === 0 ? this.#kernelName(imm[slot]!, "var") : null;
  }

  rewrittenAt(slot: number): Rewrite | null {
    const { relocations, btf } = this.#parts;
    const record = relocations === null ? -1 : (this.#relocations()[slot] ?? 0) - 1;
    if (record < 0) return null;
    if (btf !== null) return rewriteOf(relocations!, record, btf);
    return { kind: relocations!.field(record, 3), what: `type ${relocations!.field(record, 1)}` };
  }

  rewrittenSlots(): readonly number[] {
    if (this.#parts.relocations === null) return NONE;
    const slots: number[] = [];
    const records = this.#relocations();
    for (let slot = 0; slot < records.length; slot++) if (records[slot] !== 0) slots.push(slot);
    return slots;
  }

  sourceAt(slot: number): string | null {
    const { lines, btf } = this.#parts;
    const record = lines?.lastBefore(slot) ?? -1;
    return record === -1 || btf === null ? null : sourceOf(lines!, record, btf);
  }

  #reference(slot: number): MapReference | null {
    const { src, imm, count } = this.insns;
    const { fds } = this.#parts;
    const kind = src[slot]!;
    const byFd = kind === LD_SRC.MAP_FD || kind === LD_SRC.MAP_VALUE;
    if (!byFd && kind !== LD_SRC.MAP_IDX && kind !== LD_SRC.MAP_IDX_VALUE) return null;
    const map = byFd ? fds.mapByFd(imm[slot]!) : fds.mapByIndex(imm[slot]!);
    if (map === null) return null;
    const whole = this.#named(map);
    const value = kind === LD_SRC.MAP_VALUE || kind === LD_SRC.MAP_IDX_VALUE;
    return value && slot + 1 < count ? { map: whole.map, offset: imm[slot + 1]! } : whole;
  }

  /** A reference to the map with the name that the object file gives it. Returns the same objects for the same map. */
  #named(map: CodeMap): MapReference {
    let whole = this.#maps.get(map);
    if (whole === undefined) {
      whole = { map: { ...map, name: globalDataName(map) }, offset: null };
      this.#maps.set(map, whole);
    }
    return whole;
  }

  #kernelName(id: number, kind: "func" | "var"): KernelName | null {
    const { kernel } = this.#parts;
    if (kernel === null || id <= 0 || id >= kernel.count || kernel.kind(id) !== kind) return null;
    return { name: kernel.name(id), module: null, btfId: null, typed: true };
  }

  /**
   * The caller may pass more relocations than instructions. The last one of each slot counts; those outside the program
   * are ignored.
   */
  #relocations(): Int32Array {
    if (this.#rewrites === undefined) {
      const { count } = this.insns;
      const { relocations } = this.#parts;
      const rewrites = new Int32Array(count);
      for (let record = 0; record < (relocations?.count ?? 0); record++) {
        const slot = Math.floor(relocations!.offset(record) / INSN_SIZE);
        if (slot < count) rewrites[slot] = record + 1;
      }
      this.#rewrites = rewrites;
    }
    return this.#rewrites;
  }
}

const NONE: readonly number[] = [];

/** An array of records in bpf_attr; null if there is none. Throws LOAD_MALFORMED. */
export function liveRecords(
  bytes: Uint8Array,
  stride: number,
  count: number,
  kind: keyof typeof RECORD_FIELDS,
): Records | null {
  if (count === 0) return null;
  return new Records(new Bytes(bytes, "little", "LOAD_MALFORMED", kind), 0, stride, count, RECORD_FIELDS[kind]);
}

/**
 * The functions of a program. A function starts at each record of func_info and at each call target, so that none is
 * missed. Above the kernel's limit, one function more than the limit is listed and the last one extends to the end: it
 * is then only known that there are too many.
 */
function functionsOf(insns: Insns, { name, functions, btf }: LiveParts, scratch: Scratch): CodeFunction[] {
  const table = new LeaderTable(insns.count, scratch);
  table.add(0);
  const records = new Map<number, number>();
  for (let slot = firstCallOrWide(insns); slot < insns.count; slot++) {
    const opcode = insns.opcode[slot]!;
    const src = insns.src[slot]!;
    const callback = opcode === OP.LD_IMM64 && src === LD_SRC.FUNC;
    if (callback || (opcode === OP.CALL && src === CALL_SRC.SUBPROGRAM)) {
      const target = slot + insns.imm[slot]! + 1;
      if (target > 0 && target < insns.count) table.add(target);
    }
    if (opcode === OP.LD_IMM64) slot += 1;
  }
  for (let record = 0; record < (functions?.count ?? 0); record++) {
    const start = functions!.offset(record);
    if (start >= insns.count) continue;
    table.add(start);
    records.set(start, record);
  }
  const found: CodeFunction[] = [];
  const starts = scratch.takeAny(table.count);
  table.number(starts);
  for (let index = 0; index < starts.length && index <= MAX_FUNCTIONS; index++) {
    const start = starts[index]!;
    const next = index === MAX_FUNCTIONS ? insns.count : (starts[index + 1] ?? insns.count);
    const record = records.get(start);
    const btfId = record === undefined ? null : functions!.field(record, 1);
    const known = btf !== null && btfId !== null && btfId < btf.count && btf.kind(btfId) === "func";
    found.push({
      name: known ? btf.name(btfId) : start === 0 ? name : `function at ${start}`,
      start,
      end: next,
      btfId: known ? btfId : null,
      global: known && btf.linkage(btfId) === 1,
    });
  }
  return found;
}
