import type { Btf } from "../btf/btf.js";
import { essentialName } from "../btf/essential-name.js";
import { ELF, type Elf, type ElfSection, type ElfSymbol } from "../elf/elf.js";
import type { MapDefinition } from "../model/facts.js";

/** Sections whose variables are tables of functions for the kernel. With a leading `?` they are optional. */
export const STRUCT_OPS_SECTIONS: ReadonlySet<string> = new Set([".struct_ops", ".struct_ops.link"]);

/** BPF_F_LINK of linux/bpf.h: the map takes effect through a link. */
export const STRUCT_OPS_LINK = 1 << 13;

/**
 * The maps that libbpf creates for struct_ops tables, one for each variable. `value_size` is the size of the object's
 * own struct; the kernel's struct is larger and only known from the kernel's BTF. Optional tables (`?`) are left out,
 * as in libbpf unless the loader requests them.
 */
export function structOpsMaps(elf: Elf, btf: Btf): MapDefinition[] {
  return sectionsOf(elf, (name) => name).flatMap(({ name: section }) =>
    btf.variables(btf.section(section)).map(({ type }) => ({
      name: btf.name(type),
      type: "struct_ops",
      key_size: 4,
      value_size: btf.sizeOf(btf.target(type)),
      max_entries: 1,
      flags: section === ".struct_ops.link" ? STRUCT_OPS_LINK : 0,
      contents: null,
    })),
  );
}

/** Throws ELF_MALFORMED if two sections have the same name: it is unknown which one the BTF describes. */
function sectionsOf(elf: Elf, nameOf: (name: string) => string): ElfSection[] {
  const found = elf.sections.filter(({ name }) => STRUCT_OPS_SECTIONS.has(nameOf(name)));
  for (const { name } of found) elf.section(name);
  return found;
}

/** Maximum number of members that are read. The kernel's largest struct has about fifty; members beyond get no name. */
const MAX_MEMBERS = 4096;

/**
 * Attach targets of struct_ops programs such as `tcp_congestion_ops.ssthresh`, by the name of the program that the
 * table's member points to (libbpf's bpf_object__collect_st_ops_relos). Throws ELF_MALFORMED for invalid symbols.
 */
export function structOpsTargets(
  elf: Elf,
  btf: Btf,
  symbols: ReadonlyMap<number, readonly ElfSymbol[]>,
): ReadonlyMap<string, string> {
  const targets = new Map<string, string>();
  for (const section of sectionsOf(elf, (name) => name.replace(/^\?/, ""))) {
    // In an object that no linker has processed, only the symbols have the offsets of variables.
    const places = new Map((symbols.get(section.index) ?? []).map(({ name, value }) => [name, value]));
    const members = new Map<number, string>();
    let read = 0;
    for (const { type } of btf.variables(btf.section(section.name))) {
      const struct = btf.resolve(btf.target(type));
      const start = places.get(btf.name(type));
      if (start === undefined || btf.length(struct) > MAX_MEMBERS) continue;
      const name = essentialName(btf.name(struct));
      for (const member of btf.members(struct)) members.set(start + member.bit / 8, `${name}.${member.name}`);
      read += btf.length(struct);
      if (read > MAX_MEMBERS) break;
    }
    for (const { offset, symbol } of elf.relocationsOf(section)) {
      const { name, type } = elf.symbol(symbol);
      const member = members.get(offset);
      if (type === ELF.STT_FUNC && member !== undefined) targets.set(name, member);
    }
  }
  return targets;
}
