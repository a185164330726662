import * as slot from "./slots.js";

/**
 * The weights of work in steps of `limits.steps`. The linker counts a step for each function entry and loop round. All
 * else is counted in units, of which a step has 10: a unit stands for work that takes 3 to 20 ns on a machine of 2020,
 * so that the default budget ends well before the default wall clock. scripts/engine.mjs reads those weights that the
 * engine itself counts.
 */
export const UNITS_PER_STEP = 10;

/** Syntax nodes of straight code that one step pays for; see policy/meter.ts. A node takes 5 to 10 ns of bytecode. */
export const NODES_PER_STEP = 24;

// Counted by the engine.

/** A round of a loop in the engine, such as one element sorted or one character of JSON: 3 to 20 ns. */
export const ROUND = 1;
/**
 * The power of two of bytes that are copied or filled at once for a unit: 64 bytes, 5 ns, and more where memory is
 * cold.
 */
export const COPIED_LOG2 = 6;
/** A call of a built-in function: 60 to 100 ns with its arguments. */
export const BUILT_IN = 4;
/** A block of memory: 30 to 50 ns to take, and later to free. */
export const BLOCK = 3;

/**
 * Rounds of each walk of a hash chain that are free: in the engine's tables of names and layouts, chains are longer or
 * shorter depending on earlier decisions, and nearly always shorter than this. If every chain has this length, a step
 * takes up to 1.8 times as long.
 */
export const CHAIN_FREE = 32;

/**
 * Units of the engine that are free in each decision; ordinary decisions use fewer. The exact number can depend
 * slightly on earlier decisions of the runtime (layouts of objects, garbage), and records must not depend on that.
 */
export const ENGINE_FREE = 4096;

// Counted by the host.

/** Any call of the host: 3 to 6 µs for the call and the return. */
export const CROSSING = 500;
/** A change of a map: another 10 µs, for the transaction's copy and the size of the value. */
export const MAP_CHANGE = 600;
/** Verifying a signature: 65 µs for P-256, 22 µs for RSA-2048, plus its certificates when they are seen first. */
export const SIGNATURE = 6000;
/** The power of two of bytes that are hashed for a unit: 32 bytes take 15 to 60 ns. */
export const HASHED_LOG2 = 5;
/** The same for SHA-3, which takes 80 ns for 32 bytes. */
export const HASHED_SHA3_LOG2 = 4;
/** A byte that `read` hands over as a number of a frozen array: 100 ns to write, parse and freeze. */
export const READ_BYTE = 6;
/** The power of two of characters of JSON that cross for a unit: the guest's parser is counted by itself. */
export const TEXT_LOG2 = 4;
/** A character of a subject's JSON beyond `SUBJECT_FREE`: 80 to 120 ns to pack, parse and freeze. */
export const SUBJECT_CHARACTER = 6;
/** Characters of a subject that are free: the facts of nearly all programs are a tenth of that. */
export const SUBJECT_FREE = 65_536;

/** Units of a call of the host, by the function and its arguments. */
export function weightOf(box: Int32Array, text: string, bytesOf: (number: number) => Uint8Array): number {
  const sizeAt = (at: number) => (box[at]! < 0 ? 0 : bytesOf(box[at]!).length);
  const crossing = CROSSING + (text.length >> TEXT_LOG2);
  switch (box[slot.CALL]) {
    case slot.VERIFY_SIGNATURE:
      return crossing + SIGNATURE + ((sizeAt(slot.FIRST) + sizeAt(slot.SECOND)) >>> HASHED_LOG2);
    case slot.HASH:
      return crossing + (sizeAt(slot.FIRST) >>> (text.startsWith('["sha3-') ? HASHED_SHA3_LOG2 : HASHED_LOG2));
    case slot.MAP_UPDATE:
    case slot.MAP_DELETE:
      return crossing + MAP_CHANGE;
    case slot.READ:
      return crossing + READ_BYTE * box[slot.THIRD]!;
    default:
      return crossing;
  }
}
