import { CountersignError } from "../../error.js";
import { INSN_SIZE } from "../insn/insn.js";
import { ELF, type Elf, type ElfSection, type ElfSymbol, isHidden } from "./elf.js";
import { TOO_LARGE } from "./remedies.js";

/** A function symbol: a program, or a subprogram if its section is `.text`. */
export interface ElfFunction {
  readonly name: string;
  readonly section: ElfSection;
  /** In bytes, in its section; a multiple of the instruction size, as is `size`. */
  readonly offset: number;
  readonly size: number;
  /** Whether other objects can see it: neither static nor hidden, since libbpf treats hidden functions as static. */
  readonly global: boolean;
  /** Whether it is hidden, and not static. */
  readonly hidden: boolean;
}

export interface ObjectSymbols {
  /** In libbpf's order: by section, then by offset. */
  readonly programs: readonly ElfFunction[];
  /** The functions of `.text`, by offset. */
  readonly subprograms: readonly ElfFunction[];
  /** Symbols that are neither functions nor sections, by their section. */
  readonly data: ReadonlyMap<number, readonly ElfSymbol[]>;
}

/** Maximum numbers of functions, above those of any known object, since each takes memory. */
const MAX_PROGRAMS = 1024;
const MAX_SUBPROGRAMS = 4096;

/**
 * Sorts an object's symbols into programs, subprograms and data (libbpf's bpf_object__add_programs). Throws
 * ELF_MALFORMED for a function outside its section, ELF_UNSUPPORTED for one that libbpf rejects.
 */
export function readSymbols(elf: Elf): ObjectSymbols {
  const programs: ElfFunction[] = [];
  const subprograms: ElfFunction[] = [];
  const data = new Map<number, ElfSymbol[]>();
  const covered = new Set<number>();
  for (const symbol of elf.symbols()) {
    const section = elf.sections[symbol.section];
    if (symbol.section === ELF.SHN_UNDEF || section === undefined || symbol.type === ELF.STT_SECTION) continue;
    if (symbol.type !== ELF.STT_FUNC) {
      const others = data.get(section.index);
      if (others === undefined) data.set(section.index, [symbol]);
      else others.push(symbol);
      continue;
    }
    if (!isCode(section)) continue;
    covered.add(section.index);
    (section.name === ".text" ? subprograms : programs).push(functionOf(symbol, section));
    if (programs.length > MAX_PROGRAMS || subprograms.length > MAX_SUBPROGRAMS)
      throw new CountersignError(
        "ELF_UNSUPPORTED",
        `there are more than ${MAX_PROGRAMS} programs, or ${MAX_SUBPROGRAMS} subprograms`,
        {
          place: "symbol table",
          remedy: TOO_LARGE,
        },
      );
  }
  if (elf.sections.filter((section) => section.name === ".text" && isCode(section)).length > 1)
    throw new CountersignError("ELF_UNSUPPORTED", "there is more than one section `.text`", {
      place: "section .text",
      remedy: "link the object again",
    });
  for (const section of elf.sections)
    if (isCode(section) && !covered.has(section.index))
      throw new CountersignError("ELF_UNSUPPORTED", "holds instructions that belong to no function", {
        place: `section ${section.name}`,
        remedy: "give the program a function symbol, as clang does",
      });
  programs.sort(byPlace);
  subprograms.sort(byPlace);
  refuseOverlaps(programs);
  refuseOverlaps(subprograms);
  return { programs, subprograms, data };
}

/**
 * Rejects functions that share instructions: libbpf relocates only one of them. In `.text`, two names of the same
 * function are allowed.
 */
function refuseOverlaps(functions: readonly ElfFunction[]): void {
  for (const [index, { name, section, offset, size }] of functions.entries()) {
    const next = functions[index + 1];
    if (next?.section !== section || next.offset >= offset + size) continue;
    if (section.name === ".text" && next.offset === offset && next.size === size) continue;
    throw new CountersignError("ELF_UNSUPPORTED", `shares instructions with function \`${next.name}\``, {
      place: `section ${section.name}: function ${name}`,
      remedy: "give each function instructions of its own",
    });
  }
}

function byPlace(a: ElfFunction, b: ElfFunction): number {
  return a.section.index - b.section.index || a.offset - b.offset;
}

function isCode(section: ElfSection): boolean {
  return section.type === ELF.SHT_PROGBITS && (section.flags & ELF.SHF_EXECINSTR) !== 0 && section.size > 0;
}

function functionOf(symbol: ElfSymbol, section: ElfSection): ElfFunction {
  const { name, value: offset, size, bind } = symbol;
  const place = `section ${section.name}: function ${name}`;
  if (size === 0 || size % INSN_SIZE !== 0 || offset % INSN_SIZE !== 0 || offset + size > section.size)
    throw new CountersignError(
      "ELF_MALFORMED",
      `${size} bytes at offset ${offset} are not whole instructions of its section's ${section.size} bytes`,
      { place, remedy: "build the object again" },
    );
  if (section.name !== ".text" && bind === ELF.STB_LOCAL)
    throw new CountersignError("ELF_UNSUPPORTED", "is static, which loaders support only in `.text`", {
      place,
      remedy: "remove the section's name or `static` from the function",
    });
  const hidden = bind !== ELF.STB_LOCAL && isHidden(symbol);
  return { name, section, offset, size, global: bind !== ELF.STB_LOCAL && !hidden, hidden };
}
