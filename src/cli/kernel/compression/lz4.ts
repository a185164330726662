/** The legacy frame of LZ4 (lz4_Frame_format.md), which the kernel's build makes by `lz4 -l`: blocks without checks. */
const MAGIC_SIZE = 4;
/** Maximum size of a decompressed block in bytes. All blocks but the last have it. */
const BLOCK = 8 * 1024 * 1024;
/** A match is at least this long; a length of this many more goes on in the next bytes. */
const MIN_MATCH = 4;
const MORE = 15;

/** Decompresses a legacy frame of LZ4. Throws Error for a block that is not valid. */
export async function* unlz4ed(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const frame = Buffer.concat([...pieces]);
  const block = new Uint8Array(BLOCK);
  for (let at = MAGIC_SIZE; at < frame.length; ) {
    if (at + 4 > frame.length) throw new Error("a block has no size");
    const size = frame.readUInt32LE(at);
    const end = at + 4 + size;
    if (size === 0 || end > frame.length) throw new Error(`a block of ${size} bytes is beyond the end`);
    const length = decompressBlock(frame.subarray(at + 4, end), block);
    if (length < BLOCK && end < frame.length) throw new Error("a block is too short");
    yield block.slice(0, length);
    at = end;
  }
}

/** Decompresses a block (lz4_Block_format.md) and returns its size. */
function decompressBlock(from: Uint8Array, to: Uint8Array): number {
  let at = 0;
  let size = 0;
  const byte = () => {
    if (at >= from.length) throw new Error("a block is cut short");
    return from[at++]!;
  };
  const lengthOf = (start: number) => {
    let length = start;
    if (start !== MORE) return length;
    for (let more = 255; more === 255; ) {
      more = byte();
      length += more;
    }
    return length;
  };
  while (true) {
    const token = byte();
    const literals = lengthOf(token >> 4);
    if (at + literals > from.length || size + literals > to.length) throw new Error("a block is too long");
    to.set(from.subarray(at, at + literals), size);
    at += literals;
    size += literals;
    // A block ends with literals.
    if (at === from.length) return size;
    const distance = byte() | (byte() << 8);
    const match = lengthOf(token & 15) + MIN_MATCH;
    if (distance === 0 || distance > size || size + match > to.length) throw new Error("a match is out of range");
    // Where both overlap, the match repeats itself.
    if (distance >= match) to.copyWithin(size, size - distance, size - distance + match);
    else for (let index = 0; index < match; index++) to[size + index] = to[size + index - distance]!;
    size += match;
  }
}
