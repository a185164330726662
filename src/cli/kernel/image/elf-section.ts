import { isElf } from "../../../bpf/elf/elf.js";
import { type ByteSource, startOf } from "../source/byte-source.js";
import { malformed, tooLarge, unsupported } from "../source/kernel-error.js";

const HEADER_SIZE = 64;
const SECTION_SIZE = 64;
/** Limits in bytes: a kernel with debug information has far fewer and shorter names. */
const MAX_SECTIONS = 0x10000;
const MAX_NAMES = 16 * 1024 * 1024;
const SHT_NOBITS = 8;
const SHF_COMPRESSED = 0x800;

/**
 * The contents of a section of a 64-bit ELF file for any machine, such as a kernel or a module; null if it has none of
 * this name. Only this section is read. Throws KERNEL_MALFORMED, KERNEL_UNSUPPORTED, FILE_TOO_LARGE.
 */
export function elfSection(file: ByteSource, name: string, limit: number): Uint8Array | null {
  const { place } = file;
  const header = startOf(file, HEADER_SIZE);
  if (!isElf(header)) throw unsupported(place, "is not an ELF file", "name the kernel or the module itself");
  if (header.length < HEADER_SIZE) throw malformed(place, `${header.length} bytes are less than an ELF header`);
  const order = header[5];
  if (header[4] !== 2 || (order !== 1 && order !== 2))
    throw unsupported(place, "is not a 64-bit ELF file", "name the kernel of a 64-bit machine");
  const elf = new Numbers(header, order === 1);
  const table = elf.u64(40);
  if (table === 0) throw unsupported(place, "has no sections", "name the kernel before its sections were stripped");
  if (elf.u16(58) !== SECTION_SIZE) throw malformed(place, `a section header cannot have ${elf.u16(58)} bytes`);
  const count = elf.u16(60);
  const names = elf.u16(62);
  if (count === 0 || count > MAX_SECTIONS || names >= count)
    throw malformed(place, `it has ${count} sections, with their names in section ${names}`);
  const sections = new Numbers(file.read(table, count * SECTION_SIZE), order === 1);
  const namesAt = names * SECTION_SIZE;
  if (sections.u64(namesAt + 32) > MAX_NAMES) throw malformed(place, "its sections' names are too long");
  const texts = Buffer.from(file.read(sections.u64(namesAt + 24), sections.u64(namesAt + 32)));
  const wanted = Buffer.from(`${name}\0`);
  for (let at = 0; at < sections.length; at += SECTION_SIZE) {
    const text = sections.u32(at);
    if (!texts.subarray(text, text + wanted.length).equals(wanted)) continue;
    const size = sections.u64(at + 32);
    if (sections.u32(at + 4) === SHT_NOBITS || size === 0) return null;
    if (sections.u64(at + 8) & SHF_COMPRESSED)
      throw unsupported(place, `its section ${name} is compressed`, "decompress it with `objcopy`");
    if (size > limit) throw tooLarge(`${place}: section ${name}`, limit);
    return file.read(sections.u64(at + 24), size);
  }
  return null;
}

class Numbers {
  readonly length: number;
  readonly #view: DataView;

  constructor(
    bytes: Uint8Array,
    private readonly little: boolean,
  ) {
    this.length = bytes.length;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, this.little);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, this.little);
  }

  /** Above 2^53 it is rounded: no file is that large. */
  u64(at: number): number {
    return Number(this.#view.getBigUint64(at, this.little));
  }
}
