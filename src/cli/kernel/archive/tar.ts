import { malformed, tooLarge } from "../source/kernel-error.js";
import { PieceReader } from "./piece-reader.js";

/** A regular file in an archive. It can be read before the next one is requested. */
export interface TarFile {
  readonly path: string;
  readonly size: number;
  /** Throws FILE_TOO_LARGE if the file has more than `limit` bytes. */
  read(limit: number): Promise<Uint8Array>;
}

const BLOCK = 512;
/** Limits: Debian's packages of modules have about 5,000 entries; a path has at most PATH_MAX bytes. */
const MAX_ENTRIES = 100_000;
const MAX_EXTENSION = 64 * 1024;

/**
 * The regular files of a tar archive (tar(5): ustar with the extensions of pax and GNU), in its order. Stop the loop as
 * soon as the rest is not needed: the rest is then not decompressed either. Throws KERNEL_MALFORMED and what `pieces`
 * throws.
 */
export async function* filesOfTar(pieces: AsyncIterable<Uint8Array>, place: string): AsyncGenerator<TarFile> {
  const reader = new PieceReader(pieces);
  try {
    let extension: Extension = {};
    for (let entries = 0; ; entries++) {
      const block = await exactly(reader, BLOCK, place);
      // Two blocks of zeroes end the archive. What follows is padding, and then the checks of the compression.
      if (block.every((byte) => byte === 0)) return await reader.drain();
      if (entries === MAX_ENTRIES) throw malformed(place, `has more than ${MAX_ENTRIES} entries`);
      const header = headerOf(block, place);
      if (header.type in EXTENSIONS) {
        if (header.size > MAX_EXTENSION) throw malformed(place, `has a name of ${header.size} bytes`);
        extension = { ...extension, ...EXTENSIONS[header.type]!(await exactly(reader, header.size, place)) };
        await skip(reader, padding(header.size), place);
        continue;
      }
      const { path = header.path, size = header.size } = extension;
      extension = {};
      let left = size;
      if (header.type === REGULAR) {
        yield {
          path: path.replace(/^(?:\.?\/)+/, ""),
          size,
          read: async (limit) => {
            if (size > limit) throw tooLarge(`${place}: ${path}`, limit);
            left = 0;
            return exactly(reader, size, place);
          },
        };
      }
      await skip(reader, left + padding(size), place);
    }
  } finally {
    await reader.close();
  }
}

interface Extension {
  readonly path?: string;
  readonly size?: number;
}

const REGULAR = "0";

/** Entries that describe the next one, by type: GNU's long name, and the attributes of pax. */
const EXTENSIONS: Readonly<Record<string, (data: Uint8Array) => Extension>> = {
  L: (data) => ({ path: textOf(data) }),
  x: paxOf,
  g: () => ({}),
};

interface Header extends Required<Extension> {
  readonly type: string;
}

/** Parses a header. Links and folders have no contents, whatever their size says. */
function headerOf(block: Uint8Array, place: string): Header {
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (octal(block.subarray(148, 156)) !== sum)
    throw malformed(place, "is not a valid tar archive: a checksum is wrong");
  const type = block[156] === 0 ? REGULAR : String.fromCharCode(block[156]!);
  const prefix = textOf(block.subarray(257, 262)) === "ustar" ? textOf(block.subarray(345, 500)) : "";
  const name = textOf(block.subarray(0, 100));
  const size = LINKS.has(type) ? 0 : octal(block.subarray(124, 136));
  if (!Number.isSafeInteger(size)) throw malformed(place, "is not a valid tar archive: a size is not a number");
  return { type, size, path: prefix === "" ? name : `${prefix}/${name}` };
}

/** Hard links, symbolic links, devices, folders and pipes. */
const LINKS: ReadonlySet<string> = new Set(["1", "2", "3", "4", "5", "6"]);

/** Records of the form `LENGTH KEY=VALUE\n`. */
function paxOf(data: Uint8Array): Extension {
  const found: { path?: string; size?: number } = {};
  for (const [, key, value] of Buffer.from(data)
    .toString("utf8")
    .matchAll(/\d+ ([^=\n]+)=([^\n]*)\n/g)) {
    if (key === "path" && value !== undefined) found.path = value;
    if (key === "size" && /^\d{1,15}$/.test(value ?? "")) found.size = Number(value);
  }
  return found;
}

/** NaN if it is not an octal number. */
function octal(field: Uint8Array): number {
  const text = textOf(field).trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

function textOf(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(end === -1 ? field : field.subarray(0, end)).toString("utf8");
}

const padding = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK;

async function exactly(reader: PieceReader, length: number, place: string): Promise<Uint8Array> {
  const bytes = await reader.read(length);
  if (bytes.length < length) throw malformed(place, "ends within an entry");
  return bytes;
}

async function skip(reader: PieceReader, length: number, place: string): Promise<void> {
  if ((await reader.skip(length)) < length) throw malformed(place, "ends within an entry");
}
