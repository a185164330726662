/** Reads bytes of a file at an offset; null if there are fewer. */
export type ReadAt = (offset: bigint, length: number) => Uint8Array | null;

/** Memory of the running kernel, by virtual addresses. */
export interface KernelMemory {
  /** Null if it cannot be read there. */
  read(address: bigint, length: number): DataView | null;
}

/** An address of which the words of 32 bits are known. */
export function addressOf({ low, high }: { readonly low: number; readonly high: number }): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** A part of memory that is at one place of the file. */
interface Segment {
  readonly address: bigint;
  readonly length: bigint;
  readonly offset: bigint;
}

/**
 * The memory that /proc/kcore shows: an ELF file of 64 bits in little-endian order, with a PT_LOAD header for each part
 * of memory (fs/proc/kcore.c). Null if `readAt` gives something else.
 */
export function kernelMemory(readAt: ReadAt): KernelMemory | null {
  const head = viewAt(readAt, 0n, HEADER.size);
  if (head === null || head.getUint32(0) !== ELF_MAGIC || head.getUint16(4) !== ELF64_LITTLE) return null;
  const count = head.getUint16(HEADER.count, true);
  const start = head.getBigUint64(HEADER.segments, true);
  const segments: Segment[] = [];
  for (let index = 0; index < count; index++) {
    const segment = viewAt(readAt, start + BigInt(index * SEGMENT.size), SEGMENT.size);
    if (segment === null) return null;
    if (segment.getUint32(0, true) !== PT_LOAD) continue;
    const long = (at: number) => segment.getBigUint64(at, true);
    segments.push({ address: long(SEGMENT.address), length: long(SEGMENT.length), offset: long(SEGMENT.offset) });
  }
  return {
    read(address, length) {
      const last = address + BigInt(length);
      const part = segments.find((each) => address >= each.address && last <= each.address + each.length);
      return part === undefined ? null : viewAt(readAt, part.offset + address - part.address, length);
    },
  };
}

function viewAt(readAt: ReadAt, offset: bigint, length: number): DataView | null {
  const bytes = readAt(offset, length);
  return bytes === null ? null : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The first four bytes of an ELF file, and then EI_CLASS and EI_DATA. */
const ELF_MAGIC = 0x7f454c46;
const ELF64_LITTLE = 0x0201;
/** Byte offsets in Elf64_Ehdr: e_phoff and e_phnum. */
const HEADER = { size: 64, segments: 32, count: 56 } as const;
/** Byte offsets in Elf64_Phdr: p_offset, p_vaddr and p_filesz. */
const SEGMENT = { size: 56, offset: 8, address: 16, length: 32 } as const;
const PT_LOAD = 1;
