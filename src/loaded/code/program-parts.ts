import { ERRNO } from "../../errno.js";
import { openObject } from "../../sys/bpf.js";
import { type BufferPlace, objectReport } from "../../sys/bpf-objects.js";
import { objectName } from "../reads/object-results.js";
import { Opened } from "../reads/opened.js";
import type { Raw, Reads } from "../reads/reads.js";
import { PROGRAM_FIELDS, PROGRAM_SIZE } from "../views/program-report.js";

/** A part of a program that the kernel copies to a buffer. */
interface Part extends Pick<BufferPlace, "address" | "length" | "unitAt"> {
  /** Size in bytes of one of its records, if the kernel does not say it. */
  readonly unit: number;
}

const at = PROGRAM_FIELDS;
const part = (address: number, length: number, unit: number, unitAt?: number): Part =>
  unitAt === undefined ? { address, length, unit } : { address, length, unit, unitAt };

/** The parts of a program, by what their results are called. */
const PARTS = {
  /** struct bpf_insn[]: what the verifier made of the instructions that were loaded. */
  translated: part(at.xlated_prog_insns, at.xlated_prog_len, 1),
  /** Machine code. */
  jited: part(at.jited_prog_insns, at.jited_prog_len, 1),
  /** u64[]: the address of each function. */
  symbols: part(at.jited_ksyms, at.nr_jited_ksyms, 8),
  /** u32[]: the size in bytes of the machine code of each function. */
  sizes: part(at.jited_func_lens, at.nr_jited_func_lens, 4),
  /** struct bpf_func_info[]. */
  functions: part(at.func_info, at.nr_func_info, 8, at.func_info_rec_size),
  /** struct bpf_line_info[]. */
  lines: part(at.line_info, at.nr_line_info, 16, at.line_info_rec_size),
  /** u64[]: the address of the machine code of each line. */
  "jited-lines": part(at.jited_line_info, at.nr_jited_line_info, 8, at.jited_line_info_rec_size),
  /** u8[8][]: the tag of each function. */
  tags: part(at.prog_tags, at.nr_prog_tags, 8),
} as const satisfies Readonly<Record<string, Part>>;

export type PartName = keyof typeof PARTS;

/** The names of all parts. */
const ALL = Object.keys(PARTS) as PartName[];

/**
 * Parts of a program, all of them if none are named: bytes of the kernel's structures in its byte order, or the
 * negative errno of reading them. EPERM for those whose addresses the kernel hides (sysctl kernel.kptr_restrict).
 * Empty if a program has no such part.
 */
export function programParts<N extends PartName = PartName>(
  reads: Reads,
  id: number,
  names: readonly N[] = ALL as N[],
): Readonly<Record<N, Raw>> {
  let all: Readonly<Record<N, Raw>> | number | null = null;
  const read = (name: N): Raw => {
    all ??= partsOf(id, names);
    return typeof all === "number" ? all : all[name];
  };
  return ofEach(names, (name) => reads.bytes(`${objectName("program", id)}/${name}`, () => read(name)));
}

function partsOf<N extends PartName>(id: number, names: readonly N[]): Readonly<Record<N, Raw>> | number {
  const program = new Opened(() => openObject("program", id));
  const parts = program.use((fd) => readParts(fd, names));
  program.close();
  return parts;
}

/** The translated instructions of an open program, or a negative errno. */
export function translatedOf(fd: number): Raw {
  const parts = readParts(fd, ["translated"]);
  return typeof parts === "number" ? parts : parts.translated;
}

function readParts<N extends PartName>(fd: number, names: readonly N[]): Readonly<Record<N, Raw>> | number {
  const sizes = objectReport(fd, PROGRAM_SIZE);
  if (typeof sizes === "number") return sizes;
  const places = ofEach(names, (name): BufferPlace => {
    const { unitAt, ...place }: Part = PARTS[name];
    const unit = unitAt === undefined ? place.unit : sizes.getUint32(unitAt, true);
    const buffer = new Uint8Array(sizes.getUint32(place.length, true) * unit);
    return unitAt === undefined ? { ...place, buffer } : { ...place, unit, unitAt, buffer };
  });
  const filled = Object.values<BufferPlace>(places).filter(({ buffer }) => buffer.byteLength > 0);
  const info = objectReport(fd, PROGRAM_SIZE, filled);
  if (typeof info === "number") return info;
  return ofEach(names, (name) => {
    const { address, buffer } = places[name];
    // the kernel takes the address of a buffer out of its answer if it may not be filled
    return buffer.byteLength > 0 && info.getBigUint64(address, true) === 0n ? -ERRNO.EPERM : buffer;
  });
}

function ofEach<N extends PartName, T>(names: readonly N[], value: (name: N) => T): Readonly<Record<N, T>> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<N, T>;
}
