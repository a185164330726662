import { helperName } from "../../../../src/bpf/analysis/program-facts.js";
import { CALL_SRC, INSN_SIZE, OP } from "../../../../src/bpf/insn/insn.js";
import { EXTERN, HEADER, MAP, PROGRAM } from "../../../../src/seal/image/image-layout.js";

/** FAULT_MARK of fault.h: an instruction `r = mark | number of the call << 12 | number of the site`. */
const MARK = 0x5ea;
const MOV_IMMEDIATE = 0xb7;
/** FAULT_SITES of fault.h. */
const SITES = 4096;
/** Bytes of struct fault of fault.h, and where its fields are. */
export const FAULT = { size: 20 + 2 * 4 * SITES, thread: 0, site: 4, nth: 8 } as const;
/** FAULT_ANY_THREAD of fault.h. */
export const ANY_THREAD = 0xffffffff;

/** The numbers of fault.h. */
const KFUNCS: Readonly<Record<number, string>> = {
  250: "bpf_task_from_pid",
  251: "bpf_get_fsverity_digest",
  252: "bpf_lookup_user_key",
  253: "bpf_verify_pkcs7_signature",
};

/** A call of a helper or kfunc in a program of the guard: a program has copies of all functions that it calls. */
export interface Call {
  /** At most 15 bytes of its name. */
  readonly program: string;
  readonly callee: string;
}

interface Insn {
  readonly program: string;
  /** Where it is in the image. */
  readonly at: number;
  readonly slot: number;
  readonly kfuncs: ReadonlyMap<number, string>;
}

/** The calls that an image of the guard has: those of each program, each callee once. */
export function callsIn(image: Buffer): readonly Call[] {
  const found = new Map<string, Call>();
  for (const { program, at, slot, kfuncs } of insnsOf(image)) {
    const source = image[at + 1]! >> 4;
    if (image[at] !== OP.CALL || source === CALL_SRC.SUBPROGRAM) continue;
    const callee = kfuncs.get(slot) ?? helperName(image.readUInt32LE(at + 4));
    found.set(`${program} ${callee}`, { program, callee });
  }
  return [...found.values()];
}

/** Gives each call in an image of a guard with failing.h a number of its own, from 1. */
export function withNumberedSites(image: Uint8Array): Uint8Array {
  const bytes = Buffer.from(image);
  let site = 0;
  for (const { at } of insnsOf(bytes))
    if (isMark(bytes, at)) bytes.writeUInt32LE(bytes.readUInt32LE(at + 4) + ++site, at + 4);
  if (site >= SITES) throw new Error(`the guard has ${site} calls, more than failing.h has places for`);
  return bytes;
}

/** The calls by their numbers. */
export function sitesIn(image: Buffer): ReadonlyMap<number, Call> {
  const marks = [...insnsOf(image)].filter(({ at }) => isMark(image, at));
  return new Map(
    marks.map(({ program, at }) => {
      const mark = image.readUInt32LE(at + 4);
      const number = (mark >> 12) & 0xff;
      return [mark & (SITES - 1), { program, callee: KFUNCS[number] ?? helperName(number) }];
    }),
  );
}

function isMark(image: Buffer, at: number): boolean {
  return image[at] === MOV_IMMEDIATE && image.readUInt32LE(at + 4) >>> 20 === MARK;
}

/** Where the first contents of an array map are in an image. */
export function contentsOf(image: Buffer, map: string): number {
  const struct = structs(image, HEADER.ranges.maps, MAP.size).find((at) => textAt(image, at, 16) === map)!;
  return image.readUInt32LE(struct + MAP.contents);
}

function* insnsOf(image: Buffer): Generator<Insn> {
  for (const struct of structs(image, HEADER.ranges.programs, PROGRAM.size)) {
    const program = textAt(image, struct, PROGRAM.section);
    const externs = structs(image, struct + PROGRAM.ranges.externs, EXTERN.size).map(
      (at) => [image.readUInt32LE(at + EXTERN.name), textAt(image, at, EXTERN.name)] as const,
    );
    const insns = structs(image, struct + PROGRAM.ranges.insns, INSN_SIZE);
    for (const [slot, at] of insns.entries()) yield { program, at, slot, kfuncs: new Map(externs) };
  }
}

/** Where the structs of a range begin. */
function structs(image: Buffer, range: number, size: number): readonly number[] {
  const offset = image.readUInt32LE(range);
  return Array.from({ length: image.readUInt32LE(range + 4) / size }, (_, index) => offset + index * size);
}

function textAt(image: Buffer, at: number, size: number): string {
  const end = image.indexOf(0, at);
  return image.toString("latin1", at, Math.min(end, at + size));
}
