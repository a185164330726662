import { CountersignError } from "../error.js";
import { ELF, isElf } from "./elf/elf.js";
import { sha256 } from "./insn/digest.js";
import type { ObjectFacts } from "./model/facts.js";
import { factsOfObject, type Relocator, type Visit } from "./object.js";

/** A BPF object in a file, such as in a program that loads it with libbpf's skeleton. */
export interface ObjectBytes {
  /** Offset in bytes in the file; 0 if the file is the object. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * The facts about a file. The file is a BPF object or an executable with embedded BPF objects, whose programs are then
 * listed one after another. `sha256` is that of the whole file. Throws the errors of objectsOfFile and factsOfObjects.
 */
export function factsOfFile(bytes: Uint8Array, visit?: Visit, relocate?: Relocator): ObjectFacts {
  const objects = objectsOfFile(bytes);
  const facts = factsOfObjects(objects, visit, relocate);
  const first = facts[0] as ObjectFacts;
  if (!isEmbedded(objects)) return first;
  const programs = facts.flatMap((object) => object.programs);
  const maps = facts.flatMap((object) => object.maps);
  return { sha256: sha256(bytes), byte_order: first.byte_order, programs, maps };
}

/**
 * The facts about each object separately. A loader loads them one after another, each with its own maps. Throws the
 * errors of factsOfObject, and ELF_NO_PROGRAMS if there is no object.
 */
export function factsOfObjects(
  objects: readonly ObjectBytes[],
  visit?: Visit,
  relocate?: Relocator,
): readonly ObjectFacts[] {
  if (objects.length === 0)
    throw new CountersignError("ELF_NO_PROGRAMS", "there is no BPF object in it", {
      remedy: "name a BPF object, or an executable that embeds one",
    });
  return objects.map(({ offset, bytes }) => {
    try {
      return factsOfObject(bytes, visit, relocate);
    } catch (error) {
      throw error instanceof CountersignError && offset > 0 ? error.within(`object at offset ${offset}`) : error;
    }
  });
}

/**
 * The BPF objects of a file: the file itself, or those that it embeds; none if it is an ELF file without BPF. Anything
 * but ELF is returned as an object, so that reading it gives the error. Throws ELF_UNSUPPORTED if there are too many.
 */
export function objectsOfFile(bytes: Uint8Array): readonly ObjectBytes[] {
  return !isElf(bytes) || isBpfElf(bytes) ? [{ offset: 0, bytes }] : embeddedObjects(bytes);
}

/** Whether a file embeds these objects, and is not itself the object. */
export function isEmbedded(objects: readonly ObjectBytes[]): boolean {
  return objects.some(({ offset }) => offset > 0);
}

/**
 * The BPF objects inside a file, in order and without overlap. If the file itself is a BPF object, it is not included.
 * Throws ELF_UNSUPPORTED if there are too many.
 */
export function embeddedObjects(bytes: Uint8Array): readonly ObjectBytes[] {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: ObjectBytes[] = [];
  let at = file.indexOf(MAGIC, 1);
  while (at !== -1) {
    const size = isBpfElf(file, at) ? sizeOf(file.subarray(at)) : 0;
    if (size > 0 && found.length === MAX_EMBEDDED)
      throw new CountersignError("ELF_UNSUPPORTED", `embeds more than ${MAX_EMBEDDED} BPF objects`, {
        remedy: "extract the objects, and name them",
      });
    if (size > 0) found.push({ offset: at, bytes: bytes.subarray(at, at + size) });
    at = file.indexOf(MAGIC, at + Math.max(size, 1));
  }
  return found;
}

/** Maximum number of objects in a file. xdp-bench, which embeds many, has ten. */
const MAX_EMBEDDED = 256;
const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
const HEADER_SIZE = 64;

/** Whether the header of a BPF object is at this offset. */
export function isBpfElf(bytes: Uint8Array, at = 0): boolean {
  const order = bytes[at + 5];
  const machine = order === 2 ? [0, ELF.EM_BPF] : [ELF.EM_BPF, 0];
  return isElf(bytes.subarray(at, at + 4)) && bytes[at + 18] === machine[0] && bytes[at + 19] === machine[1];
}

/**
 * Size of an object in bytes: up to the end of the section headers, which clang and libbpf's linker write last. At most
 * the rest of the file.
 */
function sizeOf(from: Buffer): number {
  if (from.length < HEADER_SIZE) return from.length;
  const big = from[5] === 2;
  const table = Number(big ? from.readBigUInt64BE(40) : from.readBigUInt64LE(40));
  const [stride, count] = big
    ? [from.readUInt16BE(58), from.readUInt16BE(60)]
    : [from.readUInt16LE(58), from.readUInt16LE(60)];
  return Math.min(from.length, Math.max(HEADER_SIZE, table + stride * count));
}
