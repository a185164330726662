/**
 * The blocks of text in a file, one after the other; the whole file if it has anything else. `block` is global and
 * matches one block with the white space after it.
 */
export function blocksIn(file: Uint8Array, block: RegExp): readonly Uint8Array[] {
  const text = Buffer.from(file.buffer, file.byteOffset, file.length).toString("latin1");
  const blocks = text.match(block) ?? [];
  const length = blocks.reduce((sum, one) => sum + one.length, 0);
  return blocks.length === 0 || length !== text.length ? [file] : blocks.map((one) => Buffer.from(one, "latin1"));
}
