import type { Btf } from "../btf/btf.js";
import type { BtfExt } from "../btf/btf-ext.js";
import type { Elf } from "../elf/elf.js";
import type { ElfFunction, ObjectSymbols } from "../elf/symbols.js";
import type { ObjectMaps } from "../object/map.js";
import type { ObjectProgram } from "../object/program.js";

/** What a statement is derived from: a parsed object file. */
export interface StatementSource {
  readonly elf: Elf;
  readonly btf: Btf | null;
  readonly ext: BtfExt | null;
  readonly license: string;
  /** The programs, in libbpf's order. */
  readonly functions: readonly ElfFunction[];
  readonly symbols: ObjectSymbols;
  readonly objectMaps: ObjectMaps;
  /** `struct.member` of each struct_ops program, by its name. */
  readonly structOpsTargets: ReadonlyMap<string, string>;
  program(of: ElfFunction): ObjectProgram;
}
