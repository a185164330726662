import type { Btf } from "./btf.js";
import { essentialName } from "./core-relo.js";
import { ELF, type Elf, type ElfSection, type ElfSymbol } from "./elf.js";
import type { MapDefinition } from "./facts.js";

/** Sections whose variables are tables of functions for the kernel; an opening `?` says that they may be left out. */
const SECTIONS: ReadonlySet<string> = new Set([".struct_ops", ".struct_ops.link"]);

/** BPF_F_LINK of linux/bpf.h: the map is put in force by a link. */
const LINK = 1 << 13;

/**
 * The maps that libbpf makes of struct_ops tables, one for each variable. Their `value_size` is that of the object's
 * own struct: the kernel's is larger, and known only where its BTF is. Tables that may be left out (`?`) are, as libbpf
 * does unless the loader asks for them.
 */
export function structOpsMaps(elf: Elf, btf: Btf): MapDefinition[] {
  return sectionsOf(elf, (name) => name).flatMap(({ name: section }) =>
    btf.variables(btf.section(section)).map(({ type }) => ({
      name: btf.name(type),
      type: "struct_ops",
      key_size: 4,
      value_size: btf.sizeOf(btf.target(type)),
      max_entries: 1,
      flags: section === ".struct_ops.link" ? LINK : 0,
      contents: null,
    })),
  );
}

/** Throws ELF_MALFORMED where two have one name: which of them the BTF is about cannot be told. */
function sectionsOf(elf: Elf, nameOf: (name: string) => string): ElfSection[] {
  const found = elf.sections.filter(({ name }) => SECTIONS.has(nameOf(name)));
  for (const { name } of found) elf.section(name);
  return found;
}

/** The kernel's longest has some fifty; what goes beyond this only loses its name. */
const MAX_MEMBERS = 4096;

/**
 * What struct_ops programs are attached to: `tcp_congestion_ops.ssthresh`, by the name of the program that the member
 * of a table points at (libbpf's bpf_object__collect_st_ops_relos). Throws ELF_MALFORMED where symbols are not as they
 * should be.
 */
export function structOpsTargets(
  elf: Elf,
  btf: Btf,
  symbols: ReadonlyMap<number, readonly ElfSymbol[]>,
): ReadonlyMap<string, string> {
  const targets = new Map<string, string>();
  for (const section of sectionsOf(elf, (name) => name.replace(/^\?/, ""))) {
    // an object that was not linked has the places of variables in its symbols alone
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
