/**
 * Programs that are written as lines of assembly: made into the Code that the analysis takes, and back. It shares no
 * code with the readers of src/bpf but the numbers of operation codes, so that tests can compare both.
 */

import { CALL_SRC, type Insns, LD_SRC, OP } from "../insn/insn.js";
import type { Code, CodeFunction, CodeMap } from "../model/code.js";
import { type Line, parse } from "./assembly-lines.js";

export interface Surroundings {
  readonly type: string;
  readonly expectedAttachType?: string | null;
  readonly attachTo?: string | null;
  /** By the names that the text uses. */
  readonly maps?: Readonly<Record<string, CodeMap>>;
}

/** The lines of a program: every jump's target gets a label. */
export function linesOf(code: Code): Line[] {
  const { insns } = code;
  const targets = new Map<number, string>();
  const label = (slot: number) => {
    targets.set(slot, `at${slot}`);
    return `at${slot}`;
  };
  const lines = new Map<number, Line>();
  for (let slot = 0; slot < insns.count; slot++) {
    const opcode = insns.opcode[slot]!;
    const wide = opcode === OP.LD_IMM64;
    const jumps = (opcode & OP.CLASS) === OP.JMP || (opcode & OP.CLASS) === OP.JMP32;
    const src = insns.src[slot]!;
    const imm = insns.imm[slot]!;
    let target: string | null = null;
    if (wide && src === LD_SRC.FUNC) target = label(slot + 1 + imm);
    else if (opcode === OP.CALL && src === CALL_SRC.SUBPROGRAM) target = label(slot + 1 + imm);
    else if (jumps && opcode !== OP.CALL && opcode !== OP.EXIT)
      target = label(slot + 1 + (opcode === OP.JA32 ? imm : insns.off[slot]!));
    const begins = code.functions.find(({ start }) => start === slot);
    lines.set(slot, {
      labels: [],
      opcode,
      dst: insns.dst[slot]!,
      src,
      off: insns.off[slot]!,
      imm,
      high: wide ? insns.imm[slot + 1]! : 0,
      target,
      map: code.mapAt(slot),
      kfunc: code.kfuncAt(slot),
      ksym: code.ksymAt(slot),
      rewrite: code.rewrittenAt(slot),
      begins: begins === undefined ? null : { name: begins.name, global: begins.global },
    });
    if (wide) slot += 1;
  }
  for (const [slot, name] of targets) lines.get(slot)!.labels.push(name);
  return [...lines.values()];
}

/** Puts lines together to a program. Throws where a label is missing or a jump is too far. */
export function assemble(lines: readonly Line[], surroundings: Surroundings): Code {
  const { type, expectedAttachType = null, attachTo = null } = surroundings;
  const slots: number[] = [];
  const labels = new Map<string, number>();
  let count = 0;
  for (const line of lines) {
    slots.push(count);
    for (const label of line.labels) labels.set(label, count);
    count += line.opcode === OP.LD_IMM64 ? 2 : 1;
  }
  const insns: Insns = {
    count,
    opcode: new Uint8Array(count),
    dst: new Uint8Array(count),
    src: new Uint8Array(count),
    off: new Int16Array(count),
    imm: new Int32Array(count),
  };
  const bySlot = new Map<number, Line>();
  for (const [index, line] of lines.entries()) {
    const slot = slots[index]!;
    bySlot.set(slot, line);
    insns.opcode[slot] = line.opcode;
    insns.dst[slot] = line.dst;
    insns.src[slot] = line.src;
    insns.off[slot] = line.off;
    insns.imm[slot] = line.imm;
    if (line.opcode === OP.LD_IMM64) insns.imm[slot + 1] = line.high;
    if (line.target === null) continue;
    const to = labels.get(line.target);
    if (to === undefined) throw new Error(`no label ${line.target}`);
    const distance = to - slot - 1;
    const inImm = line.opcode === OP.LD_IMM64 || line.opcode === OP.CALL || line.opcode === OP.JA32;
    if (inImm) insns.imm[slot] = distance;
    else if (distance < -0x8000 || distance > 0x7fff) throw new Error(`${line.target} is too far to jump to`);
    else insns.off[slot] = distance;
  }
  const starts = lines.flatMap((line, index) => (line.begins !== null || index === 0 ? [index] : []));
  const functions: CodeFunction[] = starts.map((index, nth) => ({
    name: lines[index]!.begins?.name ?? "main",
    start: slots[index]!,
    end: nth + 1 < starts.length ? slots[starts[nth + 1]!]! : count,
    btfId: null,
    global: lines[index]!.begins?.global ?? true,
  }));
  const rewritten = [...bySlot].flatMap(([slot, line]) => (line.rewrite === null ? [] : [slot]));
  return {
    insns,
    byteOrder: "little",
    type,
    expectedAttachType,
    attachTo,
    functions,
    mapAt: (slot) => bySlot.get(slot)?.map ?? null,
    kfuncAt: (slot) => bySlot.get(slot)?.kfunc ?? null,
    ksymAt: (slot) => bySlot.get(slot)?.ksym ?? null,
    rewrittenAt: (slot) => bySlot.get(slot)?.rewrite ?? null,
    rewrittenSlots: () => rewritten,
    sourceAt: () => null,
    btf: null,
  };
}

/** A program from its text. */
export function codeOf(text: string, surroundings: Surroundings): Code {
  return assemble(parse(text, surroundings.maps), surroundings);
}

/** A map that a program brings along: a hash of eight-byte values, unless told otherwise. */
export function mapOf(name: string, more: Partial<CodeMap> = {}): CodeMap {
  return {
    name,
    type: "hash",
    key_size: 4,
    value_size: 8,
    max_entries: 16,
    flags: 0,
    contents: null,
    own: true,
    data: null,
    frozen: false,
    inner: null,
    ...more,
  };
}

/** The instructions as bpf(2) takes them, in little-endian order. */
export function encode({ count, opcode, dst, src, off, imm }: Insns): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(count * 8));
  for (let slot = 0; slot < count; slot++) {
    bytes.setUint8(slot * 8, opcode[slot]!);
    bytes.setUint8(slot * 8 + 1, dst[slot]! | (src[slot]! << 4));
    bytes.setInt16(slot * 8 + 2, off[slot]!, true);
    bytes.setInt32(slot * 8 + 4, imm[slot]!, true);
  }
  return new Uint8Array(bytes.buffer);
}
