/** A section of a file that {@link moduleFile} makes: its name and its bytes. */
type Section = readonly [name: string, data: Uint8Array];

/** `struct module` with this name, at the offset that 64-bit kernels have. */
export function structModule(name: string): Uint8Array {
  const bytes = Buffer.alloc(256);
  bytes.write(name, 24, "latin1");
  return bytes;
}

/** A kernel module of the kernel's form, with a name in `struct module` and tags in .modinfo; null for no section. */
export function namedModule(name: string | null, tags: readonly string[] | null = null): Uint8Array {
  return moduleFile([
    ...(name === null ? [] : ([[".gnu.linkonce.this_module", structModule(name)]] as const)),
    ...(tags === null ? [] : ([[".modinfo", Buffer.from(tags.map((tag) => `${tag}\0`).join(""))]] as const)),
  ]);
}

/** A relocatable 64-bit ELF file for x86-64 (elf(5)) with these sections, which have the flag SHF_ALLOC. */
export function moduleFile(given: readonly Section[]): Uint8Array {
  const sections: Section[] = [...given, [".shstrtab", Buffer.alloc(0)]];
  const names = Buffer.from(`\0${sections.map(([name]) => `${name}\0`).join("")}`);
  sections[sections.length - 1] = [".shstrtab", names];
  const header = Buffer.alloc(64);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(header);
  header.writeUInt16LE(1, 16); // ET_REL
  header.writeUInt16LE(62, 18); // EM_X86_64
  header.writeUInt32LE(1, 20);
  const table = Buffer.alloc(64 * (sections.length + 1));
  let [at, nameAt] = [64, 1];
  for (const [index, [name, data]] of sections.entries()) {
    const row = table.subarray(64 * (index + 1));
    row.writeUInt32LE(nameAt, 0);
    row.writeUInt32LE(name === ".shstrtab" ? 3 : 1, 4);
    row.writeBigUInt64LE(2n, 8); // SHF_ALLOC
    row.writeBigUInt64LE(BigInt(at), 24);
    row.writeBigUInt64LE(BigInt(data.byteLength), 32);
    at += data.byteLength;
    nameAt += name.length + 1;
  }
  header.writeBigUInt64LE(BigInt(at), 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(sections.length + 1, 60);
  header.writeUInt16LE(sections.length, 62);
  return new Uint8Array(Buffer.concat([header, ...sections.map(([, data]) => data), table]));
}
