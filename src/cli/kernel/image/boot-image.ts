import { crc32 } from "node:zlib";
import { compressionOf, decompressed, joined } from "../compression/compression.js";
import type { ByteSource } from "../source/byte-source.js";
import { malformed, unsupported } from "../source/kernel-error.js";
import { BOOT_HEADER } from "./boot-header.js";
import { withoutX86Filter } from "./filtered-xz.js";
import { undoX86Filter } from "./x86-filter.js";

const SECTOR = 512;
/** The first version of the protocol with the payload's offset and length. */
const WITH_PAYLOAD = 0x0208;

/** Limits in bytes, for the compressed and the decompressed kernel. Debian's have 14 MB and 62 MB. */
const MAX_PAYLOAD = 64 * 1024 * 1024;
const MAX_KERNEL = 512 * 1024 * 1024;

/** The kernel in a bzImage: the ELF file `vmlinux`. Throws KERNEL_MALFORMED, KERNEL_UNSUPPORTED, FILE_TOO_LARGE. */
export async function kernelInImage(image: ByteSource): Promise<Uint8Array> {
  const { place } = image;
  const header = viewOf(image.read(0, BOOT_HEADER.end));
  const version = header.getUint16(BOOT_HEADER.version, true);
  if (version < WITH_PAYLOAD)
    throw unsupported(place, `has boot protocol ${version >> 8}.${version & 0xff}`, "name the kernel's vmlinux");
  const start =
    ((header.getUint8(BOOT_HEADER.setupSectors) || 4) + 1) * SECTOR + header.getUint32(BOOT_HEADER.payloadOffset, true);
  const length = header.getUint32(BOOT_HEADER.payloadLength, true);
  if (length < 8 || length > MAX_PAYLOAD) throw malformed(place, `its compressed kernel cannot have ${length} bytes`);
  return decompressedKernel(image.read(start, length), `${place}: compressed kernel`);
}

/** The release of the kernel in a bzImage, such as `6.12.118+deb13-amd64`; null if it does not say. */
export function releaseOfImage(image: ByteSource): string | null {
  const at = viewOf(image.read(0, BOOT_HEADER.end)).getUint16(BOOT_HEADER.kernelVersion, true);
  // The offset counts from the second sector on. `6.12.118+deb13-amd64 (debian-kernel@lists.debian.org) #1 SMP …`
  const from = at + SECTOR;
  if (at === 0 || from >= image.size) return null;
  const text = Buffer.from(image.read(from, Math.min(SECTOR, image.size - from))).toString("latin1");
  return /^[\x21-\x7e]+/.exec(text)?.[0] ?? null;
}

async function decompressedKernel(payload: Uint8Array, place: string): Promise<Uint8Array> {
  const compression = compressionOf(payload);
  if (compression === null)
    throw unsupported(place, "is compressed in an unknown format", "extract it with the kernel's extract-vmlinux");
  // The build appends the decompressed size to the compressed kernel, except to gzip, which has it.
  const gzip = compression.name === "gzip";
  const compressed = gzip ? payload : payload.subarray(0, -4);
  const size = viewOf(payload).getUint32(payload.length - 4, true);
  const filtered = compression.name === "xz" ? withoutX86Filter(compressed, place) : null;
  const pieces = decompressed(compression, inPieces(filtered?.stream ?? compressed), MAX_KERNEL, place);
  const kernel = await joined(pieces);
  if (kernel.length !== size) throw malformed(place, `decompresses to ${kernel.length} bytes, not to ${size}`);
  if (filtered === null) return kernel;
  undoX86Filter(kernel);
  if (crc32(kernel) !== filtered.crc32) throw malformed(place, "its check does not match");
  return kernel;
}

/** Size of a piece in bytes: decompressors copy each piece as a whole. */
const PIECE = 64 * 1024;

function* inPieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}
