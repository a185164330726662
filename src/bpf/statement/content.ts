import type { MapDefinition } from "../object/map-definition.js";

/**
 * What a program statement says: everything that decides what the programs of one object are before they meet a
 * kernel, so that a verifier needs no object file. Types, attach types and flags are the numbers of bpf_attr
 * (linux/bpf.h); {@link Base64} stands for bytes, and a string of decimal digits for an integer that may exceed 2^53.
 * "Slot" counts `struct bpf_insn` from the start of a linked program.
 */
export interface StatementContent {
  readonly version: 1;
  /** Derived from the object file alone. It has a SHA-256 of its own, by which `check` finds the statement. */
  readonly program: ProgramPart;
  /** What the signer fixed or opened. */
  readonly rules: StatementRules;
}

/** Bytes in base64 with padding (RFC 4648, section 4). */
export type Base64 = string;

export interface ProgramPart {
  readonly object: StatedObject;
  /** All programs that libbpf finds in the object, or those that the signer named, in libbpf's order. */
  readonly programs: readonly StatedProgram[];
}

export interface StatedObject {
  /** SHA-256 of the object file in lower-case hex. */
  readonly sha256: string;
  readonly byte_order: "little" | "big";
  /** Empty if there is none. */
  readonly license: string;
  /** Section `.BTF` as it is in the file; null if there is none. */
  readonly btf: Base64 | null;
  /** What libbpf takes from ELF to complete the DATASECs of the BTF, by section, in the order of the BTF. */
  readonly sections: readonly StatedSection[];
  /** Hidden global functions of `.text`: libbpf makes their BTF linkage static. In the order of `.text`. */
  readonly hidden_functions: readonly string[];
  /** In libbpf's order: `.kconfig` by alignment, size and name, then kernel symbols by name. */
  readonly externs: readonly StatedExtern[];
  /**
   * The maps of libbpf's `obj->maps`, in its order: `.maps` by offset, then global data by section, `.kconfig`,
   * struct_ops. An inner map is part of its outer map.
   */
  readonly maps: readonly StatedMap[];
}

/** A section whose variables the BTF describes, `.ksyms` and `.kconfig` aside: libbpf computes those from externs. */
export interface StatedSection {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly variables: readonly StatedVariable[];
}

export interface StatedVariable {
  readonly name: string;
  /** `st_value` of its ELF symbol: its offset in bytes. */
  readonly offset: number;
  /** Whether the symbol is hidden: libbpf makes the linkage of the BTF VAR static. */
  readonly hidden: boolean;
}

export interface StatedExtern {
  readonly name: string;
  readonly kind: "kconfig" | "ksym" | "kfunc";
  /** The VAR or FUNC in the object's BTF. */
  readonly btf_id: number;
  /** For a typed symbol the type of the VAR without modifiers, or the FUNC_PROTO; 0 for a typeless symbol (`void`). */
  readonly type_id: number;
  readonly weak: boolean;
  /** Offset in bytes in the value of `.kconfig`; null for a kernel symbol. */
  readonly offset: number | null;
}

/** `definition`: of section `.maps`; `struct_ops`: a table of functions; otherwise global data of a section. */
export type StatedMapKind = "definition" | "data" | "rodata" | "bss" | "kconfig" | "struct_ops";

/**
 * As the object defines it: libbpf rounds a ring buffer's size, and replaces 0 entries of some types, when it loads.
 */
export interface StatedMap extends Omit<MapDefinition, "inner"> {
  /** The full name in the object: of the variable, or of the section. */
  readonly name: string;
  readonly kind: StatedMapKind;
  /** Whether libbpf creates the map unless the loader says otherwise: false for a table in `?.struct_ops`. */
  readonly autocreate: boolean;
  /** The map that a map of maps holds. */
  readonly inner: StatedMap | null;
  /** The contents of `rodata`; null for every other kind. */
  readonly data: Base64 | null;
}

export interface StatedProgram {
  /** The full name of the function. */
  readonly name: string;
  readonly section: string;
  readonly type: number;
  readonly expected_attach_type: number;
  /**
   * What PROG_LOAD attaches to: `function`, `module:function`, an iterator's target, or `struct.member` for struct_ops.
   * Null for other types, and where the section names none.
   */
  readonly attach_target: string | null;
  /** prog_flags that libbpf sets for the section. */
  readonly flags: number;
  /**
   * Instructions before relocation, linked with their subprograms in libbpf's order. References to maps, kernel symbols
   * and kfuncs have their `src`, and zero for what a loader fills in.
   */
  readonly insns: Base64;
  /** The functions in the order of `insns`; the program itself is first. */
  readonly functions: readonly StatedFunction[];
  /** CO-RE relocations, by slot. */
  readonly relocations: readonly StatedRelocation[];
  /** References to maps, `.kconfig` included, and to the kernel's symbols; each by slot. */
  readonly map_references: readonly StatedMapReference[];
  readonly extern_references: readonly StatedExternReference[];
}

export interface StatedFunction {
  readonly name: string;
  /** Its first slot. */
  readonly start: number;
  /** The FUNC that func_info gives it; null if there is none. */
  readonly btf_id: number | null;
  /** Whether other objects can see it: neither static nor hidden. */
  readonly global: boolean;
}

/** struct bpf_core_relo of linux/bpf.h. */
export interface StatedRelocation {
  readonly slot: number;
  readonly type_id: number;
  /** The access string: `0:1:2`. */
  readonly access: string;
  /** enum bpf_core_relo_kind. */
  readonly kind: number;
}

/** An `ld_imm64` that refers to a map, or to a value in a map. */
export interface StatedMapReference {
  readonly slot: number;
  /** Index in `maps`. */
  readonly map: number;
  /** Offset in bytes into the map's value for src 2; null for a reference to the map itself (src 1). */
  readonly offset: number | null;
}

/** A call of a kfunc, or an `ld_imm64` of a kernel symbol. */
export interface StatedExternReference {
  readonly slot: number;
  /** Index in `externs`. */
  readonly extern: number;
}

export interface StatementRules {
  /** Settings that a loader may not change, with the value that they must have, by name. */
  readonly fixed: readonly FixedSetting[];
  /** What a loader may change besides settings, in ascending order: see {@link OPENINGS}. */
  readonly open: readonly string[];
}

export interface FixedSetting {
  readonly name: string;
  readonly kind: SettingKind;
  readonly value: SettingValue;
}

export type SettingKind = "variable" | "max_entries" | "value_size" | "key_size" | "autocreate";

/**
 * A number for bool, integers and enums up to 32 bits, sizes and autocreate; decimal digits for 64 bits; lower-case hex
 * for arrays, structs and everything else.
 */
export type SettingValue = number | string;

/** What `--open` takes: `map:NAME.pinned`, `PROGRAM.type=ext`. */
export const OPENINGS = {
  map: ["type", "pinned", "shared"],
  program: ["attach-target", "type=ext", "flags=xdp_has_frags"],
} as const;

/** A value that a loader may change between opening the object and loading it, as the statement declares it. */
export interface StatedSetting {
  /** `targ_pid`, `events.max_entries`, `heap.autocreate`. */
  readonly name: string;
  readonly kind: SettingKind;
  /** C type of a variable; null for others. */
  readonly type: string | null;
  /** Index in `maps`: the map that holds the variable, or whose property it is. */
  readonly map: number;
  /** Place of a variable in the map's value, in bytes; 0 for others. */
  readonly offset: number;
  readonly size: number;
  readonly declared: SettingValue;
  /** The value that the signer fixed; null if every value is allowed. */
  readonly fixed: SettingValue | null;
}
