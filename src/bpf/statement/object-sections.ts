import { CountersignError } from "../../error.js";
import type { Btf } from "../btf/btf.js";
import { ELF, type ElfSymbol, isHidden } from "../elf/elf.js";
import { REBUILD } from "../elf/remedies.js";
import type { StatedSection, StatedVariable } from "./content.js";
import type { StatementSource } from "./source.js";

const VAR_STATIC = 0;
const VAR_EXTERN = 2;

/**
 * The sections of variables that the BTF describes, with the places that their ELF symbols have (btf_fixup_datasec).
 * A static variable without exactly one symbol is left out. Throws ELF_MALFORMED if a section or the symbol of another
 * variable is missing, or if the symbol is in another section: libbpf would take its offset for one in this section.
 */
export function statedSections({ elf, btf, symbols }: StatementSource): StatedSection[] {
  if (btf === null) return [];
  const global = new Map<string, ElfSymbol>();
  for (const list of symbols.data.values())
    for (const symbol of list)
      if (symbol.type === ELF.STT_OBJECT && symbol.bind !== ELF.STB_LOCAL) global.set(symbol.name, symbol);
  return [...btf.all("datasec")]
    .filter((id) => !EXTERN_SECTIONS.has(btf.name(id)))
    .map((id) => {
      const name = btf.name(id);
      const section = elf.section(name);
      const size = btf.size(id) || section?.size || 0;
      if (size === 0) throw missing(`the BTF describes section \`${name}\`, which is missing or empty`, "section .BTF");
      const local = section === undefined ? NO_SYMBOLS : localSymbols(symbols.data.get(section.index) ?? []);
      const variables = btf
        .variables(id)
        .flatMap(({ type }) => variableOf(btf, type, { name, index: section?.index ?? null }, global, local) ?? []);
      return { name, size, variables };
    });
}

/** libbpf computes these from the object's externs. */
const EXTERN_SECTIONS: ReadonlySet<string> = new Set([".ksyms", ".kconfig"]);
const NO_SYMBOLS: ReadonlyMap<string, ElfSymbol | null> = new Map();

function variableOf(
  btf: Btf,
  id: number,
  section: { readonly name: string; readonly index: number | null },
  global: ReadonlyMap<string, ElfSymbol>,
  local: ReadonlyMap<string, ElfSymbol | null>,
): StatedVariable | null {
  const name = btf.name(id);
  const linkage = btf.linkage(id);
  if (btf.kind(id) !== "var" || linkage === VAR_EXTERN)
    throw missing(`\`${name}\` is not a variable of its own`, `section .BTF: section ${section.name}`);
  const symbol = linkage === VAR_STATIC ? local.get(name) : global.get(name);
  if (symbol !== undefined && symbol !== null && symbol.section !== section.index)
    throw missing(`variable \`${name}\` is in another section than its BTF says`, `section ${section.name}`);
  if (symbol !== undefined && symbol !== null)
    return { name, offset: symbol.value, hidden: linkage !== VAR_STATIC && isHidden(symbol) };
  if (linkage === VAR_STATIC) return null;
  throw missing(`variable \`${name}\` has no symbol`, `section ${section.name}`);
}

/** Static variables by name; null where several have the name. */
function localSymbols(symbols: readonly ElfSymbol[]): ReadonlyMap<string, ElfSymbol | null> {
  const found = new Map<string, ElfSymbol | null>();
  for (const symbol of symbols)
    if (symbol.type === ELF.STT_OBJECT && symbol.bind === ELF.STB_LOCAL)
      found.set(symbol.name, found.has(symbol.name) ? null : symbol);
  return found;
}

function missing(message: string, place: string): CountersignError {
  return new CountersignError("ELF_MALFORMED", message, { place, remedy: REBUILD });
}
