import { CountersignError } from "../../error.js";
import type { Btf } from "../btf/btf.js";
import { ELF, type Elf, type ElfSymbol } from "../elf/elf.js";
import { REBUILD } from "../elf/remedies.js";
import { kconfigLayout } from "./kconfig.js";

/** A variable or function that the kernel defines: `extern … __ksym`, or `extern … __kconfig`. */
export interface Extern {
  readonly name: string;
  readonly kind: "kconfig" | "ksym" | "kfunc";
  /** The VAR or FUNC in the object's BTF. */
  readonly btfId: number;
  /** The type of the variable without modifiers, or the FUNC_PROTO; 0 for a typeless symbol (`void`). */
  readonly typeId: number;
  readonly weak: boolean;
  /** Place in the value of map `.kconfig` in bytes; 0 for others. */
  readonly offset: number;
  readonly size: number;
}

/** Whether the symbol is undefined and untyped, and so defined by the kernel (libbpf's sym_is_extern). */
export function isExtern(symbol: ElfSymbol): boolean {
  const { section, bind, type } = symbol;
  return section === ELF.SHN_UNDEF && (bind === ELF.STB_GLOBAL || bind === ELF.STB_WEAK) && type === ELF.STT_NOTYPE;
}

/**
 * The externs of an object in libbpf's order: the values of `.kconfig` in the order of their places, then kernel
 * symbols by name (bpf_object__collect_externs). Symbols that the BTF does not describe are left out. Throws
 * BTF_MALFORMED for a symbol that is described twice.
 */
export function externsOf(elf: Elf, btf: Btf | null): readonly Extern[] {
  if (btf === null) return [];
  const described = [...kconfigOf(btf), ...ksymsOf(btf)];
  if (described.length === 0) return [];
  const weak = new Map<string, boolean>();
  for (const symbol of elf.symbols()) if (isExtern(symbol)) weak.set(symbol.name, symbol.bind === ELF.STB_WEAK);
  const names = new Set<string>();
  return described.flatMap((extern) => {
    const { name, btfId } = extern;
    if (names.has(name))
      throw new CountersignError("BTF_MALFORMED", `describes \`${name}\` twice`, {
        place: `section .BTF: type ${btfId}`,
        remedy: REBUILD,
      });
    names.add(name);
    const isWeak = weak.get(name);
    return isWeak === undefined ? [] : [{ ...extern, weak: isWeak }];
  });
}

type Described = Omit<Extern, "weak">;

function kconfigOf(btf: Btf): Described[] {
  return kconfigLayout(btf).map(({ name, id, offset, size }) => ({
    name,
    kind: "kconfig",
    btfId: id,
    typeId: btf.resolve(btf.target(id)),
    offset,
    size,
  }));
}

function ksymsOf(btf: Btf): Described[] {
  return btf
    .variables(btf.section(".ksyms"))
    .map(({ type: btfId }): Described => {
      const kind = btf.kind(btfId) === "func" ? "kfunc" : "ksym";
      return { name: btf.name(btfId), kind, btfId, typeId: btf.resolve(btf.target(btfId)), offset: 0, size: 0 };
    })
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}
