import * as layout from "../shared/buffer-layout.js";

/**
 * The weights of work in steps of `limits.steps`. The linker counts one step for each function entry and loop round.
 * Other work is counted in units, ten per step. A unit is work that takes 3 to 20 ns on a machine of 2020, so that the
 * default budget is exhausted well before the default timeout. scripts/engine.mjs reads the weights that the engine
 * itself counts.
 */
export const UNITS_PER_STEP = 10;

/**
 * Syntax nodes of straight-line code that one step pays for; see policy/linker/meter.ts. A node takes 5 to 10 ns of
 * bytecode.
 */
export const NODES_PER_STEP = 24;

// Counted by the engine.

/** A round of a loop in the engine, such as one element sorted or one character of JSON: 3 to 20 ns. */
export const ROUND = 1;
/** log2 of the bytes copied or filled per unit: 64 bytes take 5 ns, more if they are not in a cache. */
export const COPIED_LOG2 = 6;
/** A call of a built-in function: 60 to 100 ns with its arguments. */
export const BUILT_IN = 4;
/** A block of memory: 30 to 50 ns to allocate and to free. */
export const BLOCK = 3;

/**
 * Free rounds in each walk of a hash chain. In the engine's tables of names and object layouts, the length of chains
 * depends on earlier decisions, and is nearly always below this. If every chain has this length, a step takes up to 1.8
 * times as long.
 */
export const CHAIN_FREE = 32;

/**
 * Units of the engine that are free in each decision; ordinary decisions use fewer. The exact number can depend
 * slightly on earlier decisions of the runtime (object layouts, garbage), and decision records must not depend on that.
 */
export const ENGINE_FREE = 4096;

// Counted by the host.

/** Any call of the host: 3 to 6 µs for call and return. */
const CROSSING = 500;
/** A map change: another 10 µs, for the transaction's copy and the value. */
const MAP_CHANGE = 600;
/** Verifying a signature: 65 µs for P-256, 22 µs for RSA-2048, plus its certificates when they are seen first. */
const SIGNATURE = 6000;
/** log2 of the bytes hashed per unit: 32 bytes take 15 to 60 ns. */
const HASHED_LOG2 = 5;
/** The same for SHA-3, which takes 80 ns for 32 bytes. */
const HASHED_SHA3_LOG2 = 4;
/** A byte that `read` returns as a number in a frozen array: 100 ns to write, parse and freeze. */
const READ_BYTE = 6;
/** log2 of the characters of JSON sent to or from the guest per unit; the guest's parser is counted separately. */
export const TEXT_LOG2 = 4;
/** A character of a subject's JSON beyond `SUBJECT_FREE`: 80 to 120 ns to encode, parse and freeze. */
export const SUBJECT_CHARACTER = 6;
/** Free characters of a subject; the facts of nearly all programs take a tenth of that. */
export const SUBJECT_FREE = 65_536;

/** Units of a call of the host, by its function and arguments. */
export function weightOf(integers: Int32Array, text: string, bytesOf: (number: number) => Uint8Array): number {
  const sizeAt = (at: number) => (integers[at]! < 0 ? 0 : bytesOf(integers[at]!).length);
  const crossing = CROSSING + (text.length >> TEXT_LOG2);
  switch (integers[layout.CALL]) {
    case layout.VERIFY_SIGNATURE:
    case layout.SIGNER_OF:
      return crossing + SIGNATURE + ((sizeAt(layout.FIRST) + sizeAt(layout.SECOND)) >>> HASHED_LOG2);
    case layout.VERIFY_PROGRAM:
    case layout.STATEMENT_OF:
    case layout.SIGNER_OF_PROGRAM:
      return crossing + SIGNATURE * Math.max(1, integers[layout.FIRST]!);
    case layout.HASH:
      return crossing + (sizeAt(layout.FIRST) >>> (text.startsWith('["sha3-') ? HASHED_SHA3_LOG2 : HASHED_LOG2));
    case layout.MAP_UPDATE:
    case layout.MAP_DELETE:
      return crossing + MAP_CHANGE;
    case layout.READ:
      return crossing + READ_BYTE * integers[layout.THIRD]!;
    case layout.POINT_REACHED:
      return 0;
    default:
      return crossing;
  }
}
