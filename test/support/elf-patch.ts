/**
 * Puts lies into little-endian ELF64 objects: fields of the header, of section headers, of symbols and of relocations.
 */

/** Offsets in the file header (elf(5)), with the size of each field in bytes. */
const HEADER = {
  machine: [18, 2],
  type: [16, 2],
  shoff: [40, 8],
  shentsize: [58, 2],
  shnum: [60, 2],
  shstrndx: [62, 2],
} as const;
const SECTION = {
  name: [0, 4],
  type: [4, 4],
  flags: [8, 8],
  offset: [24, 8],
  size: [32, 8],
  link: [40, 4],
  info: [44, 4],
} as const;
const SYMBOL = { name: [0, 4], info: [4, 1], other: [5, 1], section: [6, 2], value: [8, 8], size: [16, 8] } as const;

export function setHeader(file: Buffer, field: keyof typeof HEADER, value: number | bigint): Buffer {
  return write(file, 0, HEADER[field], value);
}

export function setSection(file: Buffer, name: string, field: keyof typeof SECTION, value: number | bigint): Buffer {
  return write(file, headerOf(file, name), SECTION[field], value);
}

export function setSymbol(file: Buffer, name: string, field: keyof typeof SYMBOL, value: number | bigint): Buffer {
  const table = headerOf(file, ".symtab");
  const start = Number(file.readBigUInt64LE(table + 24));
  const size = Number(file.readBigUInt64LE(table + 32));
  const strings = Number(file.readBigUInt64LE(headerOf(file, ".strtab") + 24));
  for (let at = start; at < start + size; at += 24)
    if (text(file, strings + file.readUInt32LE(at)) === name) return write(file, at, SYMBOL[field], value);
  throw new Error(`no symbol ${name}`);
}

/** Where a section's data is in the file. */
export function sectionData(file: Buffer, name: string): Buffer {
  const header = headerOf(file, name);
  const start = Number(file.readBigUInt64LE(header + 24));
  return file.subarray(start, start + Number(file.readBigUInt64LE(header + 32)));
}

function headerOf(file: Buffer, name: string): number {
  const table = Number(file.readBigUInt64LE(40));
  const names = Number(file.readBigUInt64LE(table + 64 * file.readUInt16LE(62) + 24));
  for (let index = 0; index < file.readUInt16LE(60); index++) {
    const at = table + 64 * index;
    if (text(file, names + file.readUInt32LE(at)) === name) return at;
  }
  throw new Error(`no section ${name}`);
}

function text(file: Buffer, at: number): string {
  return file.toString("latin1", at, file.indexOf(0, at));
}

function write(file: Buffer, at: number, [offset, size]: readonly [number, number], value: number | bigint): Buffer {
  if (size === 8) file.writeBigUInt64LE(BigInt(value), at + offset);
  else file.writeUIntLE(Number(value), at + offset, size);
  return file;
}
