const NEWLINE = 0x0a;

/** The lines that end so, without the newline, of a text of single bytes in which few lines do. */
export function linesEndingWith(text: Uint8Array, ending: string): readonly string[] {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  const wanted = Buffer.from(`${ending}\n`, "latin1");
  const found: string[] = [];
  for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + wanted.length)) {
    const start = bytes.lastIndexOf(NEWLINE, at) + 1;
    found.push(bytes.toString("latin1", start, at + ending.length));
  }
  return found;
}
