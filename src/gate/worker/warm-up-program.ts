/** A program like those that tracers load, for the warm-up. The kernel never loads it. */
export interface WarmUpProgram {
  readonly insns: Uint8Array;
  /** BTF of the program, with one function. */
  readonly btf: Uint8Array;
  /** Arrays of struct bpf_func_info and struct bpf_line_info (linux/bpf.h). */
  readonly functions: Uint8Array;
  readonly lines: Uint8Array;
}

/** Sizes of struct bpf_func_info and struct bpf_line_info. */
export const FUNCTION_SIZE = 8;
export const LINE_SIZE = 16;

/** A program that looks up an entry of a map again and again. `map`: an fd. */
export function warmUpProgram(map: number): WarmUpProgram {
  const code: Insn[] = [[0xbf, 6, 1, 0, 0]]; // r6 = r1
  for (let step = 0; step < STEPS; step += 1) code.push(...STEP);
  code.push([0xb7, 0, 0, 0, 0], [0x95, 0, 0, 0, 0]); // r0 = 0, exit
  const insns = new DataView(new ArrayBuffer(8 * code.length));
  for (const [index, [opcode, dst, src, off, imm]] of code.entries()) {
    insns.setUint8(8 * index, opcode);
    insns.setUint8(8 * index + 1, dst | (src << 4));
    insns.setInt16(8 * index + 2, off, true);
    insns.setInt32(8 * index + 4, opcode === 0x18 ? map : imm, true);
  }
  const lines = Array.from({ length: STEPS }, (_, step) => [1 + step * STEP.length, FILE, FILE, LINE]).flat();
  return { insns: bytes(insns), btf: btf(), functions: words([0, FUNCTION]), lines: words(lines) };
}

/** Opcode, destination, source, offset and immediate of an instruction (struct bpf_insn of linux/bpf.h). */
type Insn = readonly [code: number, dst: number, src: number, off: number, imm: number];

/**
 * The typical work of a tracer: reads the context, looks up an entry of a map, increments a counter in it, and reads
 * memory to the stack.
 */
const STEP: readonly Insn[] = [
  [0x79, 7, 6, 16, 0], // r7 = *(u64 *)(r6 + 16)
  [0x7b, 10, 7, -8, 0], // *(u64 *)(r10 - 8) = r7
  [0xbf, 2, 10, 0, 0], // r2 = r10
  [0x07, 2, 0, 0, -8], // r2 += -8
  [0x18, 1, 1, 0, 0], // r1 = the map, in two slots
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
/** Offset of the file name in the BTF strings; and line 1 as `line_col` of struct bpf_line_info (line << 10). */
const FILE = 1;
const LINE = 1 << 10;

/** Ids of the types in {@link btf}. */
const [INT, PROTOTYPE, FUNCTION] = [1, 2, 3];

/** BTF with three types. Each starts as a struct btf_type (linux/btf.h): name_off, info (kind, vlen), size or type. */
function btf(): Uint8Array {
  const strings = Buffer.from("\0f.c\0int\0step\0");
  const types = words([5, 1 << 24, 4, (1 << 24) | 32, 0, 13 << 24, INT, 9, (12 << 24) | 1, PROTOTYPE]);
  const header = words([0x0001_eb9f, 24, 0, types.byteLength, types.byteLength, strings.byteLength]);
  return Buffer.concat([header, types, strings]);
}

function words(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [index, value] of values.entries()) view.setUint32(4 * index, value, true);
  return bytes(view);
}

function bytes({ buffer }: DataView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer);
}
