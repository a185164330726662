import { CountersignError } from "../error.js";
import { sha256 } from "./digest.js";
import { ELF, isElf } from "./elf.js";
import type { ObjectFacts } from "./facts.js";
import { factsOfObject, type Visit } from "./object.js";

/** A BPF object inside a program that loads it, such as in libbpf's skeletons. */
export interface EmbeddedObject {
  /** Offset in bytes in the file. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * The facts about a file. The file is a BPF object or an executable with embedded BPF objects, whose programs are then
 * listed one after another. `sha256` is that of the whole file. Throws the errors of factsOfObject, and ELF_NO_PROGRAMS
 * for an executable without BPF objects.
 */
export function factsOfFile(bytes: Uint8Array, visit?: Visit): ObjectFacts {
  const objects = objectsOfFile(bytes, visit);
  const first = objects[0] as ObjectFacts;
  if (objects.length === 1 && isBpfElf(bytes, 0)) return first;
  const programs = objects.flatMap((object) => object.programs);
  const maps = objects.flatMap((object) => object.maps);
  return { sha256: sha256(bytes), byte_order: first.byte_order, programs, maps };
}

/** The same for each object separately; at least one. A loader loads them one after another, each with its own maps. */
export function objectsOfFile(bytes: Uint8Array, visit?: Visit): readonly ObjectFacts[] {
  if (!isElf(bytes) || isBpfElf(bytes, 0)) return [factsOfObject(bytes, visit)];
  const objects = embeddedObjects(bytes).map(({ offset, bytes: object }) => {
    try {
      return factsOfObject(object, visit);
    } catch (error) {
      throw error instanceof CountersignError ? error.within(`object at offset ${offset}`) : error;
    }
  });
  if (objects.length === 0)
    throw new CountersignError("ELF_NO_PROGRAMS", "there is no BPF object in it", {
      remedy: "name a BPF object, or a program that embeds one",
    });
  return objects;
}

/**
 * The BPF objects inside a file, in order and without overlap. If the file itself is a BPF object, it is not included.
 * Throws ELF_UNSUPPORTED if there are too many.
 */
export function embeddedObjects(bytes: Uint8Array): readonly EmbeddedObject[] {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: EmbeddedObject[] = [];
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
