/** Lines of assembly in llvm-objdump's style, with labels instead of distances. */
import { CALL_SRC, LD_SRC, OP } from "../insn/insn.js";
import type { CodeMap, KernelName, MapReference, Rewrite } from "../model/code.js";
import { HELPERS } from "../tables/names.gen.js";

/** One instruction; an `ld_imm64` is one line. */
export interface Line {
  labels: string[];
  opcode: number;
  dst: number;
  src: number;
  off: number;
  imm: number;
  /** The upper word of an `ld_imm64`. */
  high: number;
  /** The label that it jumps to, calls or takes the address of. */
  target: string | null;
  map: MapReference | null;
  kfunc: KernelName | null;
  ksym: KernelName | null;
  rewrite: Rewrite | null;
  /** It begins a function of this name. */
  begins: { readonly name: string; readonly global: boolean } | null;
}

/**
 * Lines of text: `r1 = 5`, `w1 += w2`, `r1 = *(u32 *)(r1 + 76)`, `*(u8 *)(r2 + 0) = 1`, `lock *(u64 *)(r1 + 0) += r2`,
 * `r1 = 0x5 ll`, `r1 = map NAME`, `r1 = value NAME + 8`, `r1 = func LABEL`, `r1 = ksym NAME`, `call HELPER` or a
 * number, `r1 = be16 r1`, `call kfunc NAME`, `call LABEL`, `if r1 == 0 goto LABEL`, `goto LABEL`, `exit`, `LABEL:`,
 * `fn NAME:`, `global NAME:`. `@core` at its end says that a CO-RE relocation names the line; `//` begins a comment.
 */
export function parse(text: string, maps: Readonly<Record<string, CodeMap>> = {}): Line[] {
  const lines: Line[] = [];
  let labels: string[] = [];
  let begins: Line["begins"] = null;
  for (const raw of text.split(/\n|;/)) {
    let words = raw.replace(/\/\/.*/, "").trim();
    for (let label = LABEL.exec(words); label !== null; label = LABEL.exec(words)) {
      labels.push(label[2]!);
      if (label[1] !== undefined) begins = { name: label[2]!, global: label[1] === "global" };
      words = words.slice(label[0].length).trim();
    }
    if (words === "") continue;
    const core = words.endsWith("@core");
    const line = instruction(words.replace(/\s*@core$/, ""), maps);
    lines.push({ ...line, labels, begins, rewrite: core ? { kind: 0, what: "struct t.field" } : null });
    labels = [];
    begins = null;
  }
  return lines;
}

const LABEL = /^(?:(fn|global) )?(\w+):/;

type Fields = Partial<Line> & { readonly opcode: number };

const SIZES: Readonly<Record<string, number>> = { "8": OP.B, "16": OP.H, "32": OP.W, "64": OP.DW };
const ARITHMETIC = ["+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "", "%=", "^=", "=", "s>>="];
const COMPARISONS = ["", "==", ">", ">=", "&", "!=", "s>", "s>=", "", "", "<", "<=", "s<", "s<="];
const ATOMICS: Readonly<Record<string, number>> = { "+=": 0x00, "|=": 0x40, "&=": 0x50, "^=": 0xa0 };
const FETCHES: Readonly<Record<string, number>> = { add: 0x01, or: 0x41, and: 0x51, xor: 0xa1 };

const NUMBER = String.raw`-?(?:0x[0-9a-f]+|\d+)`;
const CELL = String.raw`\*\((u|s)(8|16|32|64) \*\)\(r(\d+) ([+-] (?:0x[0-9a-f]+|\d+))\)`;

type Form = readonly [RegExp, (parts: string[], maps: Readonly<Record<string, CodeMap>>) => Fields];

const FORMS: readonly Form[] = [
  [/^exit$/, () => ({ opcode: OP.EXIT })],
  [new RegExp(`^call (${NUMBER})$`), ([id]) => ({ opcode: OP.CALL, imm: numberOf(id!) })],
  [/^call kfunc (\w+)$/, ([name]) => ({ opcode: OP.CALL, src: CALL_SRC.KFUNC, kfunc: kernelName(name!) })],
  [/^call (\w+)$/, ([name]) => callOf(name!)],
  [/^goto (\w+)$/, ([target]) => ({ opcode: OP.JA16, target: target! })],
  [/^gotol (\w+)$/, ([target]) => ({ opcode: OP.JA32, target: target! })],
  [/^may_goto (\w+)$/, ([target]) => ({ opcode: 0xe5, target: target! })],
  [new RegExp(`^if ([rw])(\\d+) (\\S+) (?:([rw])(\\d+)|(${NUMBER})) goto (\\w+)$`), branchOf],
  [/^r(\d+) = map (\w+)$/, ([dst, name], maps) => mapLine(dst!, LD_SRC.MAP_FD, maps[name!]!, null)],
  [
    /^r(\d+) = value (\w+) \+ (\d+)$/,
    ([dst, name, offset], maps) => mapLine(dst!, LD_SRC.MAP_VALUE, maps[name!]!, Number(offset)),
  ],
  [
    /^r(\d+) = func (\w+)$/,
    ([dst, target]) => ({ opcode: OP.LD_IMM64, dst: Number(dst), src: LD_SRC.FUNC, target: target! }),
  ],
  [
    /^r(\d+) = ksym (\w+)$/,
    ([dst, name]) => ({ opcode: OP.LD_IMM64, dst: Number(dst), src: LD_SRC.BTF_ID, ksym: kernelName(name!) }),
  ],
  [new RegExp(`^r(\\d+) = (${NUMBER}) ll$`), wideOf],
  [
    new RegExp(`^r(\\d+) = ${CELL}$`),
    ([dst, sign, size, src, off]) => ({
      opcode: OP.LDX | SIZES[size!]! | (sign === "s" ? OP.MEMSX : OP.MEM),
      dst: Number(dst),
      src: Number(src),
      off: distance(off!),
    }),
  ],
  [
    new RegExp(`^(lock )?${CELL} (\\S+) (?:r(\\d+)|(${NUMBER}))$`),
    ([lock, , size, dst, off, operator, src, imm]) => {
      const cell = { dst: Number(dst), off: distance(off!) };
      if (lock !== undefined)
        return { opcode: OP.STX | SIZES[size!]! | OP.ATOMIC, ...cell, src: Number(src), imm: ATOMICS[operator!]! };
      if (src !== undefined) return { opcode: OP.STX | SIZES[size!]! | OP.MEM, ...cell, src: Number(src) };
      return { opcode: OP.ST | SIZES[size!]! | OP.MEM, ...cell, imm: numberOf(imm!) };
    },
  ],
  [
    /^r(\d+) = atomic_fetch_(\w+)\(\(u64 \*\)\(r(\d+) ([+-] \w+)\), r\d+\)$/,
    ([src, name, dst, off]) => ({
      opcode: OP.STX | OP.DW | OP.ATOMIC,
      src: Number(src),
      dst: Number(dst),
      off: distance(off!),
      imm: FETCHES[name!]!,
    }),
  ],
  [
    /^r(\d+) = xchg_64\(r(\d+) ([+-] \w+), r\d+\)$/,
    ([src, dst, off]) => ({
      opcode: OP.STX | OP.DW | OP.ATOMIC,
      src: Number(src),
      dst: Number(dst),
      off: distance(off!),
      imm: 0xe1,
    }),
  ],
  [
    /^r0 = \*\(u(8|16|32) \*\)skb\[(\w+)\]$/,
    ([size, at]) => ({ opcode: OP.LD | SIZES[size!]! | OP.ABS, imm: Number(at) }),
  ],
  [
    /^r(\d+) = (be|le)(16|32|64) r\d+$/,
    ([dst, order, bits]) => ({
      opcode: OP.ALU | 0xd0 | (order === "be" ? OP.X : 0),
      dst: Number(dst),
      imm: Number(bits),
    }),
  ],
  [
    /^([rw])(\d+) = -[rw]\d+$/,
    ([letter, dst]) => ({ opcode: (letter === "r" ? OP.ALU64 : OP.ALU) | 0x80, dst: Number(dst) }),
  ],
  [
    /^([rw])(\d+) = \(s(8|16|32)\)[rw](\d+)$/,
    ([letter, dst, bits, src]) => ({
      opcode: (letter === "r" ? OP.ALU64 : OP.ALU) | 0xb0 | OP.X,
      dst: Number(dst),
      src: Number(src),
      off: Number(bits),
    }),
  ],
  [new RegExp(`^([rw])(\\d+) (\\S+) (?:([rw])(\\d+)|(${NUMBER}))$`), arithmeticOf],
];

function instruction(text: string, maps: Readonly<Record<string, CodeMap>>): Line {
  for (const [form, fields] of FORMS) {
    const match = form.exec(text);
    if (match === null) continue;
    const empty = { labels: [], dst: 0, src: 0, off: 0, imm: 0, high: 0, target: null };
    const names = { map: null, kfunc: null, ksym: null, rewrite: null, begins: null };
    return { ...empty, ...names, ...fields(match.slice(1), maps) };
  }
  throw new Error(`is no instruction: ${text}`);
}

function numberOf(text: string): number {
  return text.startsWith("-") ? -Number(text.slice(1)) : Number(text);
}

function kernelName(name: string): KernelName {
  return { name, module: null, btfId: null, typed: true };
}

function callOf(name: string): Fields {
  const id = HELPERS.indexOf(name);
  if (id > 0) return { opcode: OP.CALL, imm: id };
  return { opcode: OP.CALL, src: CALL_SRC.SUBPROGRAM, target: name };
}

function mapLine(dst: string, src: number, map: CodeMap, offset: number | null): Fields {
  if (map === undefined) throw new Error("no such map");
  return { opcode: OP.LD_IMM64, dst: Number(dst), src, high: offset ?? 0, map: { map, offset } };
}

function wideOf([dst, number]: string[]): Fields {
  const value = BigInt.asIntN(64, number!.startsWith("-") ? -BigInt(number!.slice(1)) : BigInt(number!));
  const [imm, high] = [Number(BigInt.asIntN(32, value)), Number(value >> 32n)];
  return { opcode: OP.LD_IMM64, dst: Number(dst), imm, high };
}

function branchOf([letter, dst, operator, , src, imm, target]: string[]): Fields {
  const opcode = (letter === "r" ? OP.JMP : OP.JMP32) | (COMPARISONS.indexOf(operator!) << 4);
  if (src !== undefined) return { opcode: opcode | OP.X, dst: Number(dst), src: Number(src), target: target! };
  return { opcode, dst: Number(dst), imm: numberOf(imm!), target: target! };
}

function arithmeticOf([letter, dst, operator, , src, imm]: string[]): Fields {
  const signed = operator === "s/=" || operator === "s%=";
  const index = ARITHMETIC.indexOf(signed ? operator!.slice(1) : operator!);
  if (index < 0) throw new Error(`is no operator: ${operator}`);
  const opcode = (letter === "r" ? OP.ALU64 : OP.ALU) | (index << 4);
  const off = signed ? 1 : 0;
  if (src !== undefined) return { opcode: opcode | OP.X, dst: Number(dst), src: Number(src), off };
  return { opcode, dst: Number(dst), imm: numberOf(imm!) | 0, off };
}

function distance(text: string): number {
  return numberOf(text.replace(/^\+ |(?<=^-) /, ""));
}
