import { CALL_SRC, type Insns, OP } from "./insn.js";

/**
 * The instruction in this slot in the syntax of `llvm-objdump -d` (LLVM's BPFInstrInfo.td), without the name of a
 * jump's target. Invalid instructions and the second slot of an `ld_imm64` are `<unknown>`.
 */
export function disassemble(insns: Insns, slot: number): string {
  const opcode = insns.opcode[slot]!;
  switch (opcode & OP.CLASS) {
    case OP.LD:
      return legacyOrWide(insns, slot, opcode);
    case OP.LDX:
      return load(insns, slot, opcode);
    case OP.ST:
      return (opcode & OP.MODE) === OP.MEM ? `${cell(insns, slot, opcode)} = ${hex(insns.imm[slot]!)}` : UNKNOWN;
    case OP.STX:
      if ((opcode & OP.MODE) === OP.ATOMIC) return atomic(insns, slot, opcode);
      return (opcode & OP.MODE) === OP.MEM ? `${cell(insns, slot, opcode)} = r${insns.src[slot]}` : UNKNOWN;
    case OP.JMP:
    case OP.JMP32:
      return jump(insns, slot, opcode);
    default:
      return arithmetic(insns, slot, opcode);
  }
}

const UNKNOWN = "<unknown>";
/** Width in bits, by the size bits of the opcode (shifted down): W, H, B, DW. */
const BITS = ["32", "16", "8", "64"];
/** By operation code (shifted down): BPF_ADD to BPF_ARSH. */
const OPERATORS = ["+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "", "%=", "^=", "", "s>>="];
/** By operation code (shifted down): BPF_JEQ is 1, BPF_JSLE is 13. */
const COMPARISONS = ["", "==", ">", ">=", "&", "!=", "s>", "s>=", "", "", "<", "<=", "s<", "s<="];
const ATOMICS: Readonly<Record<number, readonly [operator: string, name: string]>> = {
  0: ["+=", "add"],
  64: ["|=", "or"],
  80: ["&=", "and"],
  160: ["^=", "xor"],
};
const FETCH = 1;
const XCHG = 0xe1;
const CMPXCHG = 0xf1;
const LOAD_ACQUIRE = 0x100;
const STORE_RELEASE = 0x110;

function hex(value: number): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

function signed(value: number): string {
  return value < 0 ? `- 0x${(-value).toString(16)}` : `+ 0x${value.toString(16)}`;
}

function bits(opcode: number): string {
  return BITS[(opcode & OP.SIZE) >> 3]!;
}

function at(insns: Insns, slot: number, register: number): string {
  return `r${register} ${signed(insns.off[slot]!)}`;
}

function cell(insns: Insns, slot: number, opcode: number): string {
  return `*(u${bits(opcode)} *)(${at(insns, slot, insns.dst[slot]!)})`;
}

function legacyOrWide(insns: Insns, slot: number, opcode: number): string {
  if (opcode === OP.LD_IMM64) {
    if (slot + 1 >= insns.count) return UNKNOWN;
    const value = (BigInt(insns.imm[slot + 1]!) << 32n) | BigInt(insns.imm[slot]! >>> 0);
    return `r${insns.dst[slot]} = ${value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`} ll`;
  }
  const mode = opcode & OP.MODE;
  if ((mode !== OP.ABS && mode !== OP.IND) || (opcode & OP.SIZE) === OP.DW) return UNKNOWN;
  const where = mode === OP.ABS ? hex(insns.imm[slot]!) : `r${insns.src[slot]}`;
  return `r0 = *(u${bits(opcode)} *)skb[${where}]`;
}

function load(insns: Insns, slot: number, opcode: number): string {
  const mode = opcode & OP.MODE;
  const sign = mode === OP.MEM ? "u" : mode === OP.MEMSX && (opcode & OP.SIZE) !== OP.DW ? "s" : null;
  if (sign === null) return UNKNOWN;
  return `r${insns.dst[slot]} = *(${sign}${bits(opcode)} *)(${at(insns, slot, insns.src[slot]!)})`;
}

function atomic(insns: Insns, slot: number, opcode: number): string {
  const width = bits(opcode);
  const wide = width === "64";
  const operation = insns.imm[slot]!;
  const letter = wide ? "r" : "w";
  const other = `${letter}${insns.src[slot]}`;
  const address = at(insns, slot, insns.dst[slot]!);
  if (operation === LOAD_ACQUIRE)
    return `${letter}${insns.dst[slot]} = load_acquire((u${width} *)(${at(insns, slot, insns.src[slot]!)}))`;
  if (operation === STORE_RELEASE) return `store_release((u${width} *)(${address}), ${other})`;
  if (width === "8" || width === "16") return UNKNOWN;
  const exchange = wide ? "64" : "32_32";
  if (operation === XCHG) return `${other} = xchg${wide ? "_" : ""}${exchange}(${address}, ${other})`;
  if (operation === CMPXCHG)
    return `${letter}0 = cmpxchg${wide ? "_" : ""}${exchange}(${address}, ${letter}0, ${other})`;
  const known = ATOMICS[operation & ~FETCH];
  if (known === undefined) return UNKNOWN;
  if ((operation & FETCH) === 0) return `lock *(u${width} *)(${address}) ${known[0]} r${insns.src[slot]}`;
  return `${other} = atomic_fetch_${known[1]}((u${width} *)(${address}), ${other})`;
}

function jump(insns: Insns, slot: number, opcode: number): string {
  const operation = (opcode & OP.CODE) >> 4;
  const narrow = (opcode & OP.CLASS) === OP.JMP32;
  const off = insns.off[slot]!;
  const imm = insns.imm[slot]!;
  const to = (distance: number) => (distance < 0 ? `-0x${(-distance).toString(16)}` : `+0x${distance.toString(16)}`);
  if (opcode === OP.JA16) return `goto ${to(off)}`;
  if (opcode === OP.JA32) return `gotol ${to(imm)}`;
  if (opcode === MAY_GOTO) return `may_goto ${to(off)}`;
  if (opcode === OP.EXIT) return "exit";
  if (opcode === OP.CALL) return insns.src[slot]! <= CALL_SRC.KFUNC ? `call ${hex(imm)}` : UNKNOWN;
  if (opcode === OP.CALLX) return `callx r${insns.dst[slot]}`;
  const comparison = COMPARISONS[operation];
  if (comparison === undefined || comparison === "") return UNKNOWN;
  const letter = narrow ? "w" : "r";
  const right = (opcode & OP.X) !== 0 ? `${letter}${insns.src[slot]}` : hex(imm);
  return `if ${letter}${insns.dst[slot]} ${comparison} ${right} goto ${to(off)}`;
}

/** BPF_JCOND of include/uapi/linux/bpf.h: the `may_goto` of a loop, which the kernel ends after a bounded time. */
const MAY_GOTO = 0xe5;

function arithmetic(insns: Insns, slot: number, opcode: number): string {
  const operation = (opcode & OP.CODE) >> 4;
  const wide = (opcode & OP.CLASS) === OP.ALU64;
  const letter = wide ? "r" : "w";
  const left = `${letter}${insns.dst[slot]}`;
  const source = `${letter}${insns.src[slot]}`;
  const x = (opcode & OP.X) !== 0;
  const off = insns.off[slot]!;
  const right = x ? source : hex(insns.imm[slot]!);
  if (operation === 8) return x ? UNKNOWN : `${left} = -${left}`;
  if (operation === 13) {
    const name = wide ? (x ? null : "bswap") : x ? "be" : "le";
    return name === null ? UNKNOWN : `r${insns.dst[slot]} = ${name}${insns.imm[slot]} r${insns.dst[slot]}`;
  }
  if (operation === 11) {
    if (!x || off === 0) return `${left} = ${right}`;
    if (off === 8 || off === 16 || off === 32) return `${left} = (s${off})${source}`;
    const imm = insns.imm[slot]!;
    if (off === 1 && wide) return `${left} = addr_space_cast(${source}, ${hex(imm >>> 16)}, ${hex(imm & 0xffff)})`;
    return UNKNOWN;
  }
  const operator = OPERATORS[operation];
  if (operator === undefined || operator === "") return UNKNOWN;
  const sign = off === 1 && (operation === 3 || operation === 9) ? "s" : "";
  return `${left} ${sign}${operator} ${right}`;
}
