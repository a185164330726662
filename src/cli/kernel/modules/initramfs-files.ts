import { PieceReader } from "../archive/piece-reader.js";
import { compressionOf, decompressed } from "../compression/compression.js";
import { type ByteSource, piecesOf } from "../source/byte-source.js";
import { malformed } from "../source/kernel-error.js";

/** Limit in bytes of what an initramfs has decompressed. Debian's have 300 MB with all modules. */
const MAX_CONTENTS = 4 * 1024 * 1024 * 1024;
const HEADER_SIZE = 110;
const TRAILER = "TRAILER!!!";

/**
 * The paths in an initramfs: archives of cpio in the `newc` format, one after another, plain or compressed
 * (Documentation/driver-api/early-userspace/buffer-format.rst). What follows a compressed part is not read. Throws
 * KERNEL_MALFORMED, KERNEL_UNSUPPORTED, FILE_TOO_LARGE, FILE_UNREADABLE.
 */
export async function pathsInInitramfs(source: ByteSource): Promise<readonly string[]> {
  const paths: string[] = [];
  let at = 0;
  while (at < source.size) {
    const start = source.read(at, Math.min(8, source.size - at));
    if (start[0] === 0) {
      at += 1;
      continue;
    }
    const compression = compressionOf(start);
    if (compression !== null) {
      await addCompressed(decompressed(compression, piecesOf(source, at), MAX_CONTENTS, source.place), paths, source);
      return paths;
    }
    at += await addArchive(new PieceReader(plain(source, at)), paths, source.place);
  }
  return paths;
}

async function* plain(source: ByteSource, at: number): AsyncGenerator<Uint8Array> {
  yield* piecesOf(source, at);
}

/** All archives of a compressed part. Decoders can fail at what follows it, which is no part of it. */
async function addCompressed(pieces: AsyncIterable<Uint8Array>, paths: string[], source: ByteSource): Promise<void> {
  const reader = new PieceReader(pieces);
  let archives = 0;
  try {
    while ((await addArchive(reader, paths, source.place)) > 0) archives += 1;
  } catch (error) {
    if (archives === 0) throw error;
  } finally {
    await reader.close();
  }
}

/** Adds the paths of one archive and of the zeros before it, and returns its length in bytes: 0 at the end. */
async function addArchive(reader: PieceReader, paths: string[], place: string): Promise<number> {
  let read = 0;
  while (true) {
    const first = await firstOf(reader);
    read += first.skipped;
    if (first.bytes.length === 0) return 0;
    const header = Buffer.concat([first.bytes, await reader.read(HEADER_SIZE - first.bytes.length)]);
    if (header.length < HEADER_SIZE || !/^07070[12]$/.test(header.toString("latin1", 0, 6)))
      throw malformed(place, "has something else than an archive of cpio in the `newc` format");
    const word = (index: number) => Number.parseInt(header.toString("latin1", 6 + 8 * index, 14 + 8 * index), 16);
    const [size, nameSize] = [word(6), word(11)];
    if (!(size >= 0 && nameSize > 0 && nameSize <= 4096)) throw malformed(place, "has a malformed header of cpio");
    const padded = nameSize + (-(HEADER_SIZE + nameSize) & 3);
    const name = Buffer.from(await reader.read(padded)).toString("utf8", 0, nameSize - 1);
    const contents = size + (-size & 3);
    await reader.skip(contents);
    read += HEADER_SIZE + padded + contents;
    if (name === TRAILER) return read;
    paths.push(name);
  }
}

/** The next four bytes that are not zero. Archives are padded with zeros. */
async function firstOf(reader: PieceReader): Promise<{ readonly bytes: Uint8Array; readonly skipped: number }> {
  for (let skipped = 0; ; skipped += 4) {
    const bytes = await reader.read(4);
    if (bytes.some((byte) => byte !== 0) || bytes.length < 4) return { bytes, skipped };
  }
}
