import { memberOf } from "../archive/ar.js";
import { filesOfTar, type TarFile } from "../archive/tar.js";
import { compressionOf, decompressed } from "../compression/compression.js";
import { type ByteSource, piecesOf, startOf } from "../source/byte-source.js";
import { unsupported } from "../source/kernel-error.js";

/** Limit in bytes for all files of a package together. Debian's packages of modules have up to 410 MB. */
const MAX_CONTENTS = 4 * 1024 * 1024 * 1024;
const MEMBER = "data.tar";

/**
 * The files of a Debian package (deb(5)), in its order. Stop the loop as soon as the rest is not needed. Throws
 * KERNEL_MALFORMED, KERNEL_UNSUPPORTED, FILE_TOO_LARGE.
 */
export function filesOfPackage(archive: ByteSource): AsyncGenerator<TarFile> {
  const data = memberOf(archive, (name) => name === MEMBER || name.startsWith(`${MEMBER}.`));
  if (data === null)
    throw unsupported(archive.place, "is an archive, but not a Debian package", "name a package of a kernel");
  const compression = compressionOf(startOf(data, 8));
  const pieces =
    compression === null ? plain(data) : decompressed(compression, piecesOf(data), MAX_CONTENTS, data.place);
  return filesOfTar(pieces, data.place);
}

async function* plain(source: ByteSource): AsyncGenerator<Uint8Array> {
  yield* piecesOf(source);
}
