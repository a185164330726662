import { CountersignError } from "../../../error.js";
import { malformed, tooLarge, unsupported } from "../source/kernel-error.js";

/** A compression format by its magic number. */
export interface Compression {
  readonly name: string;
  readonly magic: readonly number[];
  /** Null if this package cannot decompress the format. */
  readonly decompress: Decompress | null;
}

type Decompress = (pieces: Iterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** Loads a decoder when it is first used: together they take longer than resolving programs from the cache. */
function by(load: () => Promise<Decompress>): Decompress {
  return async function* (pieces) {
    yield* (await load())(pieces);
  };
}

/** The formats of kernel images (scripts/extract-vmlinux of the kernel), of packages and of modules. */
const COMPRESSIONS: readonly Compression[] = [
  { name: "gzip", magic: [0x1f, 0x8b], decompress: by(async () => (await import("./gzip.js")).gunzipped) },
  {
    name: "xz",
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
    decompress: by(async () => (await import("./xz.js")).unxzipped),
  },
  {
    name: "zstd",
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    decompress: by(async () => (await import("./zstd.js")).unzstandardized),
  },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68], decompress: null },
  { name: "lzma", magic: [0x5d, 0x00, 0x00], decompress: null },
  { name: "lzop", magic: [0x89, 0x4c, 0x5a], decompress: null },
  { name: "lz4", magic: [0x02, 0x21, 0x4c, 0x18], decompress: by(async () => (await import("./lz4.js")).unlz4ed) },
];

/** The format of compressed bytes; null if they are not compressed in a known format. */
export function compressionOf(start: Uint8Array): Compression | null {
  return COMPRESSIONS.find(({ magic }) => magic.every((byte, index) => start[index] === byte)) ?? null;
}

/**
 * The decompressed bytes, in pieces that are not empty. Throws KERNEL_MALFORMED, FILE_TOO_LARGE if there are more than
 * `limit` bytes, KERNEL_UNSUPPORTED if the format or its parameters are not supported.
 */
export async function* decompressed(
  { name, decompress }: Compression,
  pieces: Iterable<Uint8Array>,
  limit: number,
  place: string,
): AsyncGenerator<Uint8Array> {
  if (decompress === null)
    throw unsupported(
      place,
      `is compressed with ${name}, which is not supported`,
      "decompress it, and name the result",
    );
  let size = 0;
  try {
    for await (const piece of decompress(pieces)) {
      if (piece.length === 0) continue;
      size += piece.length;
      if (size > limit) throw tooLarge(place, limit);
      yield piece;
    }
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause.place === undefined ? cause.within(place) : cause;
    throw malformed(place, `is not valid ${name}: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
}

/** Collects pieces into one array. */
export async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return all.length === 1 ? all[0]! : Buffer.concat(all);
}
