import { MAX_INSNS } from "../insn/insn.js";
import { base64, FLAG, integer, list, NULL, object, oneOf, orNull, type Shape, text, textOr } from "./shape.js";

/** Limits of the object reader, which a statement derived from an object cannot exceed. */
const MAX_BTF = 16 << 20;
const MAX_MAPS = 4096;
const MAX_PROGRAMS = 1024;
const MAX_SUBPROGRAMS = 4096;
const MAX_RECORDS = 100_000;
const MAX_SECTIONS = 4096;
const MAX_OPENINGS = 16_384;
/** A name in ELF may be long; the longest symbols of C++ and Rust are below this. */
const MAX_NAME = 0x10000;

const NAME = text(MAX_NAME);
const U32 = integer(0, 0xffff_ffff);
const I32 = integer(-0x8000_0000, 0x7fff_ffff);
const BTF_ID = integer(0, 0xfffff);
const SLOT = integer(0, MAX_INSNS - 1);
const SIZE = integer(0, Number.MAX_SAFE_INTEGER);
const SHA256 = text(64, /^[0-9a-f]{64}$/, "a SHA-256 in lower-case hex");
const U64 = text(20, /^(?:0|[1-9][0-9]*)$/, "a number in decimal digits");

const EXTERN = object({
  name: NAME,
  kind: oneOf("kconfig", "ksym", "kfunc"),
  btf_id: BTF_ID,
  type_id: BTF_ID,
  weak: FLAG,
  offset: orNull(U32),
});

const VARIABLE = object({ name: NAME, offset: SIZE, hidden: FLAG });
const SECTION = object({ name: NAME, size: SIZE, variables: list(VARIABLE, MAX_RECORDS) });

const MAP_FIELDS: Readonly<Record<string, Shape>> = {
  name: NAME,
  kind: oneOf("definition", "data", "rodata", "bss", "kconfig", "struct_ops"),
  type: U32,
  key_size: U32,
  value_size: U32,
  max_entries: U32,
  map_flags: U32,
  numa_node: U32,
  map_extra: U64,
  pinning: U32,
  key_type_id: BTF_ID,
  value_type_id: BTF_ID,
  autocreate: FLAG,
  data: orNull(base64(MAX_BTF)),
};
const INNER_MAP = object({ ...MAP_FIELDS, inner: NULL });
const MAP = object({ ...MAP_FIELDS, inner: orNull(INNER_MAP) });

const FUNCTION = object({ name: NAME, start: SLOT, btf_id: orNull(BTF_ID), global: FLAG });
const RELOCATION = object({ slot: SLOT, type_id: BTF_ID, access: text(1024), kind: U32 });
const MAP_REFERENCE = object({ slot: SLOT, map: U32, offset: orNull(I32) });
const EXTERN_REFERENCE = object({ slot: SLOT, extern: U32 });

const PROGRAM = object({
  name: NAME,
  section: NAME,
  type: U32,
  expected_attach_type: U32,
  attach_target: orNull(NAME),
  flags: U32,
  insns: base64(8 * MAX_INSNS),
  functions: list(FUNCTION, MAX_SUBPROGRAMS + 1),
  relocations: list(RELOCATION, MAX_RECORDS),
  map_references: list(MAP_REFERENCE, MAX_RECORDS),
  extern_references: list(EXTERN_REFERENCE, MAX_RECORDS),
});

const OBJECT = object({
  sha256: SHA256,
  byte_order: oneOf("little", "big"),
  license: text(63),
  btf: orNull(base64(MAX_BTF)),
  sections: list(SECTION, MAX_SECTIONS),
  hidden_functions: list(NAME, MAX_SUBPROGRAMS),
  externs: list(EXTERN, MAX_RECORDS),
  maps: list(MAP, MAX_MAPS),
});

const FIXED = object({
  name: NAME,
  kind: oneOf("variable", "max_entries", "value_size", "key_size", "autocreate"),
  value: textOr(
    text(2 * MAX_BTF, /^-?[0-9a-f]*$/, "decimal digits or lower-case hex"),
    integer(-0x8000_0000, 0xffff_ffff),
  ),
});

/** The form of a statement's JSON. */
export const CONTENT: Shape = object({
  version: oneOf(1),
  program: object({ object: OBJECT, programs: list(PROGRAM, MAX_PROGRAMS) }),
  rules: object({ fixed: list(FIXED, MAX_RECORDS), open: list(text(2 * MAX_NAME), MAX_OPENINGS) }),
});
