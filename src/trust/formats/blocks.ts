/**
 * The blocks of text in a file, one after the other; the whole file if it has anything else. `block` is sticky and
 * matches one block with the white space after it: a search for the next block would read what follows again from each
 * place where one could begin, so that its time grows with the square of the length.
 */
export function blocksIn(file: Uint8Array, block: RegExp): readonly Uint8Array[] {
  const text = Buffer.from(file.buffer, file.byteOffset, file.length).toString("latin1");
  const blocks: Uint8Array[] = [];
  block.lastIndex = 0;
  for (let start = 0; start < text.length; start = block.lastIndex) {
    if (!block.test(text) || blocks.length === MAX_PARTS) return [file];
    blocks.push(Buffer.from(text.slice(start, block.lastIndex), "latin1"));
  }
  return blocks.length === 0 ? [file] : blocks;
}

/** The most signatures in one file. A file with more is not split, and malformed. */
export const MAX_PARTS = 2048;
