import { type FactType, hex, INTEGER_OR_TEXT, list, named, object, orNull, TEXT } from "../../fact-type.js";
import type { SubjectFields } from "../../known-fact.js";
import { OF_STATEMENTS } from "./differences.js";

/** The facts about statements, the signed descriptions of programs, and about what a program differs in from one. */

/** Kinds of settings: what a loader may change in a program that is signed as a statement. */
export const SETTING_KINDS = [
  "variable",
  "max_entries",
  "value_size",
  "key_size",
  "autocreate",
  "attach_target",
  "type",
  "flags",
] as const;

export type SettingKind = (typeof SETTING_KINDS)[number];

/** A value that the loader chose between opening the object and loading it. */
export const SETTING_FIELDS = {
  name: {
    type: TEXT,
    doc: "Such as `targ_pid`, `events.max_entries`, `heap.autocreate` or `attach_target`.",
    known: OF_STATEMENTS,
  },
  kind: { type: named("SettingKind") as FactType<SettingKind>, doc: "", known: OF_STATEMENTS },
  type: { type: orNull(TEXT, "for other kinds than `variable`"), doc: "C type of a variable.", known: OF_STATEMENTS },
  value: {
    type: INTEGER_OR_TEXT,
    doc:
      "A number for bool, integers and enums up to 32 bits; decimal digits for 64 bits; lower-case hex for arrays " +
      "and structs.",
    known: OF_STATEMENTS,
  },
  declared: {
    type: orNull(INTEGER_OR_TEXT, "if it declares none"),
    doc: "The value in the object file.",
    known: OF_STATEMENTS,
  },
} as const satisfies SubjectFields;

export const STATEMENT_FIELDS = {
  sha256: { type: hex(32), doc: "SHA-256 of the signed bytes in lower-case hex.", known: OF_STATEMENTS },
  object_sha256: { type: hex(32), doc: "SHA-256 of the object file in lower-case hex.", known: OF_STATEMENTS },
  name: { type: TEXT, doc: "The full name of the program's function.", known: OF_STATEMENTS },
  type: { type: named("ProgramType"), doc: "The program type that is signed.", known: OF_STATEMENTS },
  settings: {
    type: list(object("Setting", SETTING_FIELDS)),
    doc: "All settings, changed or not.",
    known: OF_STATEMENTS,
  },
} as const satisfies SubjectFields;

export const MISMATCH_FIELDS = {
  statement: { type: hex(32), doc: "`sha256` of the statement.", known: OF_STATEMENTS },
  property: {
    type: TEXT,
    doc: "What differs, such as `license`, `insns` or `events.max_entries`.",
    known: OF_STATEMENTS,
  },
  expected: { type: TEXT, doc: "As the statement has it.", known: OF_STATEMENTS },
  found: { type: TEXT, doc: "As the program has it.", known: OF_STATEMENTS },
} as const satisfies SubjectFields;
