/**
 * The fs-verity digest of a file, as the kernel measures it (Documentation/filesystems/fsverity.rst): the SHA-256 of
 * struct fsverity_descriptor, which has the root of a Merkle tree over blocks of 4096 bytes. Without salt.
 */
import { createHash } from "node:crypto";

const BLOCK = 4096;
const DIGEST_SIZE = 32;

/** struct fsverity_descriptor of include/uapi/linux/fsverity.h: offsets and size in bytes. */
const DESCRIPTOR = {
  version: 0,
  hash_algorithm: 1,
  log_blocksize: 2,
  data_size: 8,
  root_hash: 16,
  size: 256,
} as const;
/** FS_VERITY_HASH_ALG_SHA256. */
const SHA256 = 1;

/** The digest of a file with these contents, in lower-case hex. */
export function fsVerityDigest(contents: Uint8Array): string {
  const descriptor = Buffer.alloc(DESCRIPTOR.size);
  descriptor.writeUInt8(1, DESCRIPTOR.version);
  descriptor.writeUInt8(SHA256, DESCRIPTOR.hash_algorithm);
  descriptor.writeUInt8(Math.log2(BLOCK), DESCRIPTOR.log_blocksize);
  descriptor.writeBigUInt64LE(BigInt(contents.length), DESCRIPTOR.data_size);
  // The root of an empty file is zero
  if (contents.length > 0) rootOf(contents).copy(descriptor, DESCRIPTOR.root_hash);
  return sha256(descriptor).toString("hex");
}

/** The digest of the block at the top: a level has the digests of all blocks of the level below. */
function rootOf(contents: Uint8Array): Buffer {
  let level = digestsOf(contents);
  while (level.length > DIGEST_SIZE) level = digestsOf(level);
  return level;
}

/** The digests of all blocks, one after another; the last block is filled with zeros. */
function digestsOf(bytes: Uint8Array): Buffer {
  const count = Math.ceil(bytes.length / BLOCK);
  const digests = Buffer.alloc(count * DIGEST_SIZE);
  for (let index = 0; index < count; index++) {
    const block = bytes.subarray(index * BLOCK, (index + 1) * BLOCK);
    sha256(block.length === BLOCK ? block : filled(block)).copy(digests, index * DIGEST_SIZE);
  }
  return digests;
}

function filled(block: Uint8Array): Uint8Array {
  const whole = new Uint8Array(BLOCK);
  whole.set(block);
  return whole;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
