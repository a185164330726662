import { CountersignError } from "../../error.js";
import { Btf } from "../btf/btf.js";
import { Bytes } from "../elf/bytes.js";
import { REBUILD } from "../elf/remedies.js";
import { kconfigLayout, kconfigSize } from "../object/kconfig.js";
import type { StatedObject } from "../statement/content.js";

/** What libbpf takes from the ELF file to complete the BTF. */
export type BtfCompletion = Pick<StatedObject, "sections" | "hidden_functions" | "externs">;

/**
 * The BTF that libbpf passes to BPF_BTF_LOAD for an object, on kernels that need no sanitizing (Linux 6.1 and later;
 * 6.9 for a section whose name begins with `?`):
 *
 * - externs become global variables: in `.kconfig` at their offset in the map, in `.ksyms` as integers of 4 bytes,
 *   where one variable stands for all functions (bpf_object__collect_externs);
 * - data sections have the sizes, and their variables the offsets, of the ELF file; hidden variables become static
 *   (btf_fixup_datasec);
 * - hidden functions become static (bpf_object__sanitize_and_load_btf).
 *
 * `original` is section `.BTF`. Throws BTF_MALFORMED.
 */
export function loadedBtf(original: Uint8Array, object: BtfCompletion): Uint8Array {
  const draft = new Draft(original);
  const hasExterns = object.externs.length > 0;
  replaceKsyms(draft, hasExterns);
  if (hasExterns) placeKconfig(draft);
  placeVariables(draft, object);
  hideFunctions(draft, object.hidden_functions);
  return draft.bytes();
}

/** Linkage of VAR and FUNC (linux/btf.h). */
const STATIC = 0;
const GLOBAL = 1;
const VAR_EXTERN = 2;

/** The name of the variable that stands for the functions in `.ksyms`. */
const DUMMY = "dummy_ksym";
const INT_SIZE = 4;

/** Turns the symbols of `.ksyms` into variables. libbpf adds the dummy variable even if no symbol is used. */
function replaceKsyms(draft: Draft, hasExterns: boolean): void {
  const { btf } = draft;
  const section = btf.section(".ksyms");
  const symbols = btf.variables(section);
  const functions = symbols.filter(({ type }) => btf.kind(type) === "func");
  const int = draft.firstInt();
  const dummy = functions.length === 0 ? null : draft.addVariable(DUMMY, int);
  if (section === 0 || !hasExterns) return;
  for (const { type: func } of functions) {
    draft.setLinkage(func, GLOBAL);
    for (const [index, { name, type }] of btf.parameters(btf.target(func)).entries())
      if (type !== 0 && name === "") draft.setParameterName(btf.target(func), index, dummy!.name);
  }
  for (const { type } of symbols)
    if (btf.kind(type) === "var") {
      draft.setLinkage(type, GLOBAL);
      draft.setTarget(type, int);
    }
  draft.setVariables(
    section,
    symbols.map(({ type }, index) => ({
      type: btf.kind(type) === "func" ? dummy!.id : type,
      offset: index * INT_SIZE,
      size: INT_SIZE,
    })),
  );
  draft.setSize(section, symbols.length * INT_SIZE);
}

function placeKconfig(draft: Draft): void {
  const { btf } = draft;
  const section = btf.section(".kconfig");
  if (section === 0) return;
  const layout = kconfigLayout(btf);
  const places = new Map(layout.map(({ id, offset }) => [id, offset]));
  for (const { id } of layout) draft.setLinkage(id, GLOBAL);
  draft.setVariables(
    section,
    draft.variables(section).map((variable) => ({ ...variable, offset: places.get(variable.type)! })),
  );
  draft.setSize(section, kconfigSize(layout));
}

function placeVariables(draft: Draft, { sections }: BtfCompletion): void {
  const { btf } = draft;
  const known = new Map(sections.map((section) => [section.name, section]));
  for (const id of btf.all("datasec")) {
    const name = btf.name(id);
    let variables = draft.variables(id);
    if (name !== ".ksyms" && name !== ".kconfig") {
      const section = known.get(name);
      const symbols = new Map((section?.variables ?? []).map((variable) => [variable.name, variable]));
      const isUnplaced = btf.size(id) === 0;
      if (isUnplaced) draft.setSize(id, section?.size || fail(`there is no data in section \`${name}\``));
      variables = variables.map((variable) => {
        if (btf.kind(variable.type) !== "var") return fail(`section \`${name}\` lists a type that is not a variable`);
        if (HAS_NO_SYMBOL.has(btf.linkage(variable.type))) return variable;
        const symbol = symbols.get(btf.name(variable.type));
        if (symbol === undefined) return fail(`variable \`${btf.name(variable.type)}\` has no symbol`);
        if (symbol.hidden) draft.setLinkage(variable.type, STATIC);
        return isUnplaced ? { ...variable, offset: symbol.offset } : variable;
      });
    }
    // stable, as qsort of glibc
    draft.setVariables(
      id,
      [...variables].sort((a, b) => a.offset - b.offset),
    );
  }
}

/** Linkages of variables that libbpf looks up no symbol for. */
const HAS_NO_SYMBOL: ReadonlySet<number> = new Set([STATIC, VAR_EXTERN]);

function hideFunctions(draft: Draft, hidden: readonly string[]): void {
  const { btf } = draft;
  const names = new Set(hidden);
  if (names.size === 0) return;
  for (const id of btf.all("func"))
    if (btf.linkage(id) === GLOBAL && names.delete(btf.name(id))) draft.setLinkage(id, STATIC);
}

function fail(message: string): never {
  throw new CountersignError("BTF_MALFORMED", message, { place: "section .BTF", remedy: REBUILD });
}

interface Variable {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

/** Offsets of the fields of struct btf_header. */
const HEADER = { length: 4, typesAt: 8, typesSize: 12, stringsAt: 16, stringsSize: 20 } as const;
/** Size of the fields that all types have: name, info, and size or type. */
const TYPE_SIZE = 12;
const KIND_VAR = 14;

/** A copy of BTF that can be changed. `btf` is the original. */
class Draft {
  readonly btf: Btf;
  readonly #file: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;
  readonly #header: Bytes;
  readonly #typesAt: number;
  #added: Buffer | null = null;
  #addedName: Buffer | null = null;

  constructor(original: Uint8Array) {
    this.btf = new Btf(original);
    this.#file = new Uint8Array(original);
    this.#view = new DataView(this.#file.buffer);
    this.#little = this.btf.order === "little";
    const header = new Bytes(this.#file, this.btf.order, "BTF_MALFORMED", "section .BTF");
    this.#header = header;
    this.#typesAt = header.u32(HEADER.length) + header.u32(HEADER.typesAt);
  }

  /** The first integer of 32 bits (find_int_btf_id); 0 if there is none. */
  firstInt(): number {
    for (const id of this.btf.all("int")) if ((this.#get(id, TYPE_SIZE) & 0xff) === 32) return id;
    return 0;
  }

  setSize(id: number, size: number): void {
    this.#put(id, 8, size);
  }

  setTarget(id: number, type: number): void {
    this.#put(id, 8, type);
  }

  setLinkage(id: number, linkage: number): void {
    if (this.btf.kind(id) === "var") this.#put(id, TYPE_SIZE, linkage);
    else this.#put(id, 4, ((this.#get(id, 4) & 0xffff0000) | linkage) >>> 0);
  }

  setParameterName(prototype: number, index: number, name: number): void {
    this.#put(prototype, TYPE_SIZE + 8 * index, name);
  }

  variables(section: number): readonly Variable[] {
    return Array.from({ length: this.btf.length(section) }, (_, index) => {
      const at = TYPE_SIZE + 12 * index;
      return { type: this.#get(section, at), offset: this.#get(section, at + 4), size: this.#get(section, at + 8) };
    });
  }

  setVariables(section: number, variables: readonly Variable[]): void {
    for (const [index, { type, offset, size }] of variables.entries())
      for (const [word, value] of [type, offset, size].entries())
        this.#put(section, TYPE_SIZE + 12 * index + 4 * word, value);
  }

  /** Adds one global variable. `name` of the result is the offset of its name. */
  addVariable(name: string, type: number): { readonly id: number; readonly name: number } {
    const strings = this.#strings();
    const text = Buffer.from(`${name}\0`);
    const known = Buffer.concat([Uint8Array.of(0), strings]).indexOf(Buffer.concat([Uint8Array.of(0), text]));
    const at = known >= 0 ? known : strings.byteLength;
    if (known < 0) this.#addedName = text;
    const words = [at, (KIND_VAR << 24) >>> 0, type, GLOBAL];
    this.#added = Buffer.alloc(4 * words.length);
    const view = new DataView(this.#added.buffer, this.#added.byteOffset);
    for (const [index, word] of words.entries()) view.setUint32(4 * index, word, this.#little);
    return { id: this.btf.count, name: at };
  }

  /** libbpf writes the header, the types and the strings one after another once a type was added. */
  bytes(): Uint8Array {
    if (this.#added === null) return this.#file;
    const length = this.#header.u32(HEADER.length);
    const types = this.#header.u32(HEADER.typesSize);
    const strings = this.#strings();
    const header = Buffer.from(this.#file.subarray(0, length));
    const view = new DataView(header.buffer, header.byteOffset);
    const grow = (field: number, by: number) => view.setUint32(field, this.#header.u32(field) + by, this.#little);
    grow(HEADER.typesSize, this.#added.byteLength);
    grow(HEADER.stringsAt, this.#added.byteLength);
    grow(HEADER.stringsSize, this.#addedName?.byteLength ?? 0);
    return Buffer.concat([
      ...[header, this.#file.subarray(this.#typesAt, this.#typesAt + types), this.#added],
      ...[strings, this.#addedName ?? new Uint8Array(0)],
    ]);
  }

  #strings(): Uint8Array {
    const header = this.#header;
    return header.part(header.u32(HEADER.length) + header.u32(HEADER.stringsAt), header.u32(HEADER.stringsSize));
  }

  #get(id: number, at: number): number {
    return this.#view.getUint32(this.#place(id, at), this.#little);
  }

  #put(id: number, at: number, value: number): void {
    this.#view.setUint32(this.#place(id, at), value, this.#little);
  }

  #place(id: number, at: number): number {
    return this.#typesAt + this.btf.offset(id) + at;
  }
}
