import { crc32 } from "node:zlib";
import { malformed, unsupported } from "../source/kernel-error.js";

/** Constants of the .xz file format, version 1.2.1. */
const STREAM_HEADER = 12;
const FOOTER = 12;
const CRC = 4;
const CHECK = { none: 0, crc32: 1 } as const;
const FILTER = { x86: 0x04, lzma2: 0x21 } as const;

/** A stream of one block without its filter, and what is needed to undo the filter on the decompressed bytes. */
export interface WithoutFilter {
  readonly stream: Uint8Array;
  /** CRC32 of the bytes after the filter was undone. */
  readonly crc32: number;
}

/**
 * The decoder supports no filters, but the kernel's build uses `--x86 --check=crc32`. So this writes the same
 * compressed data as a stream without filter and check. Returns null if the stream has no filter. Throws
 * KERNEL_MALFORMED, KERNEL_UNSUPPORTED for another filter, another check, or several blocks.
 */
export function withoutX86Filter(xz: Uint8Array, place: string): WithoutFilter | null {
  const file = new Xz(xz, place);
  const header = file.blockHeader();
  if (header.filters.length === 1) return null;
  const [filter, last] = header.filters;
  const [block, ...more] = file.index();
  const known = filter!.id === FILTER.x86 && isZero(filter!.properties) && last!.id === FILTER.lzma2;
  if (header.filters.length !== 2 || !known || more.length > 0 || file.check !== CHECK.crc32)
    throw unsupported(
      place,
      "is compressed by xz with other filters or checks than the kernel's build uses",
      "decompress it with `xz -d`, and name the result",
    );
  const compressed = block!.unpadded - header.size - CRC;
  const start = STREAM_HEADER + header.size;
  const checkAt = start + compressed + padding(header.size + compressed);
  const data = file.part(start, compressed);
  const plain = blockHeader(last!);
  const index = indexOf(plain.length + compressed, block!.uncompressed);
  const stream = Buffer.concat([
    streamHeader(),
    plain,
    data,
    Buffer.alloc(padding(plain.length + compressed)),
    index,
    footer(index.length),
  ]);
  return { stream, crc32: file.u32(checkAt) };
}

interface Filter {
  readonly id: number;
  readonly properties: Uint8Array;
}

/** A reader of a stream's structure. */
class Xz {
  readonly check: number;
  readonly #view: DataView;
  #at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly place: string,
  ) {
    if (bytes.length < STREAM_HEADER + FOOTER + 2 * CRC) throw malformed(place, "is cut short");
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.check = bytes[7]! & 15;
  }

  part(at: number, size: number): Uint8Array {
    if (!(at >= 0 && size >= 0 && at + size <= this.bytes.length))
      throw malformed(this.place, `${size} bytes at offset ${at} are beyond its ${this.bytes.length}`);
    return this.bytes.subarray(at, at + size);
  }

  u32(at: number): number {
    this.part(at, 4);
    return this.#view.getUint32(at, true);
  }

  /** The header of the first block. */
  blockHeader(): { readonly size: number; readonly filters: readonly Filter[] } {
    const size = (this.bytes[STREAM_HEADER]! + 1) * 4;
    this.part(STREAM_HEADER, size);
    const flags = this.bytes[STREAM_HEADER + 1]!;
    this.#at = STREAM_HEADER + 2;
    if (flags & 0x40) this.#number();
    if (flags & 0x80) this.#number();
    const filters = Array.from({ length: (flags & 3) + 1 }, () => {
      const id = this.#number();
      const length = this.#number();
      const properties = this.part(this.#at, length);
      this.#at += length;
      return { id, properties };
    });
    return { size, filters };
  }

  /** Sizes of each block. */
  index(): readonly { readonly unpadded: number; readonly uncompressed: number }[] {
    const size = (this.u32(this.bytes.length - FOOTER + CRC) + 1) * 4;
    const start = this.bytes.length - FOOTER - size;
    this.part(start, size);
    this.#at = start + 1;
    const count = this.#number();
    if (this.bytes[start] !== 0 || count === 0 || count > size) throw malformed(this.place, "its index is damaged");
    return Array.from({ length: count }, () => ({ unpadded: this.#number(), uncompressed: this.#number() }));
  }

  /** An integer of variable length: 7 bits in each byte, the lowest first. */
  #number(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 42; factor *= 128) {
      const byte = this.part(this.#at++, 1)[0]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw malformed(this.place, "a number in it has no end");
  }
}

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);
const padding = (size: number) => (4 - (size % 4)) % 4;

function withCrc(bytes: readonly number[]): Buffer {
  const end = Buffer.alloc(CRC);
  end.writeUInt32LE(crc32(Uint8Array.from(bytes)));
  return Buffer.concat([Uint8Array.from(bytes), end]);
}

function padded(bytes: readonly number[]): readonly number[] {
  return [...bytes, ...Array<number>(padding(bytes.length)).fill(0)];
}

function streamHeader(): Buffer {
  const flags = withCrc([0, CHECK.none]);
  return Buffer.concat([Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00), flags]);
}

/** The header of a block with one filter. Its first byte is its size in words, without the first. */
function blockHeader({ id, properties }: Filter): Buffer {
  const content = padded([0, 0, id, properties.length, ...properties]);
  return withCrc([(content.length + CRC) / 4 - 1, ...content.slice(1)]);
}

function indexOf(unpadded: number, uncompressed: number): Buffer {
  return withCrc(padded([0, 1, ...variable(unpadded), ...variable(uncompressed)]));
}

function footer(indexSize: number): Buffer {
  const content = Buffer.alloc(6);
  content.writeUInt32LE(indexSize / 4 - 1);
  content[5] = CHECK.none;
  const crc = Buffer.alloc(CRC);
  crc.writeUInt32LE(crc32(content));
  return Buffer.concat([crc, content, Buffer.from("YZ")]);
}

function variable(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}
