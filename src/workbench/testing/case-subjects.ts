import { describedProgram } from "../../bpf/described-program.js";
import { sha256 } from "../../bpf/insn/digest.js";
import { EFFECTS, type Effects, type Statement } from "../../bpf/model/facts.js";
import { SETTING_KINDS, type SettingKind } from "../../bpf/model/program-fields.js";
import { ATTACH_TYPES, MAP_TYPES, PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import type { CaseBlob, CaseMap, CaseProgram, CaseSubject } from "../../config/case-subject.js";
import { mapSubject } from "../../engine/files/map-subject.js";
import { loadedSubject, programSubject } from "../../engine/files/program-subject.js";
import { VOCABULARY } from "../../engine/load/vocabulary.js";
import { CountersignError } from "../../error.js";
import { type HookName, hookRow } from "../../hooks/catalogue.js";
import type { Subject } from "../../hooks/subject.js";
import { didYouMean } from "../../nearest.js";
import { meant } from "../../policy/model/vocabulary.js";

/** A subject that a test describes, at the hook that it is for. */
export interface CaseQuestion {
  readonly hook: HookName;
  readonly subject: Subject;
}

type Described = Exclude<CaseSubject, { readonly kind: "file" }>;

/** The hook for each kind of subject unless the case names one. */
const HOOKS = { program: "bpf_prog_load", map: "bpf_map_create", blob: "blob_verify" } as const;

/**
 * Makes the subject that a case describes. Throws CONFIG_INVALID for a name that does not exist and for a hook that has
 * other subjects, and INSN_MALFORMED for a program that cannot be assembled; `place` is that of the case.
 */
export function describedQuestion(described: Described, hook: HookName | null, place: string): CaseQuestion {
  const asked = hook ?? HOOKS[described.kind];
  const kind = hookRow(asked).subject;
  if (kind !== described.kind)
    throw new CountersignError("CONFIG_INVALID", `${asked} is about a ${kind}, not about a ${described.kind}`, {
      place,
      remedy: `describe a ${kind}, or name another hook`,
    });
  return { hook: asked, subject: subjectOf(described, asked, place) };
}

function subjectOf(described: Described, hook: HookName, place: string): Subject {
  switch (described.kind) {
    case "program":
      return programOf(described.program, place);
    case "map":
      return mapOf(described.map, hook, place);
    case "blob":
      return blobOf(described.blob);
  }
}

function programOf(given: CaseProgram, place: string): Subject {
  checkName("type of a program", PROGRAM_TYPES, given.type, place);
  if (given.expected_attach_type !== null) checkName("attach type", ATTACH_TYPES, given.expected_attach_type, place);
  for (const { type } of given.maps) checkName("type of a map", MAP_TYPES, type, place);
  for (const effect of Object.keys(given.effects)) checkName("effect", [...EFFECTS, "read_only"], effect, place);
  const { signature, kernel_signature, kernel_keyring, mismatches, loaded, rewritten } = given;
  const statements = given.statements.map((one) => statementOf(one, given, place));
  const { insn_cnt, returns, effects } = given;
  try {
    const facts = describedProgram({ ...given, insn_cnt, returns, effects: effects as Partial<Effects> });
    const origin = { signature, statements, mismatches, kernel_signature, kernel_keyring, object: null };
    return loadedSubject(programSubject(facts, origin), { loaded, rewritten });
  } catch (error) {
    throw error instanceof CountersignError ? error.within(place) : error;
  }
}

type GivenStatement = CaseProgram["statements"][number];

function statementOf(given: GivenStatement, { name, type }: CaseProgram, place: string): Statement {
  const settings = given.settings.map((one) => {
    checkName("kind of a setting", SETTING_KINDS, one.kind, place);
    return { ...one, kind: one.kind as SettingKind };
  });
  return { ...given, name: given.name ?? name, type: given.type ?? type, settings };
}

function mapOf({ access, ...map }: CaseMap, hook: HookName, place: string): Subject {
  checkName("type of a map", MAP_TYPES, map.type, place);
  return mapSubject(map, access === undefined ? (hook === "bpf_map" ? "rw" : null) : access);
}

function blobOf({ name, data, signature }: CaseBlob): Subject {
  return { name, digest: sha256(data), data, signature };
}

function checkName(what: string, known: readonly string[], name: string, place: string): void {
  if (known.includes(name)) return;
  const right = known === PROGRAM_TYPES ? meant("ProgramType", name, VOCABULARY) : didYouMean(name, known);
  throw new CountersignError("CONFIG_INVALID", `\`${name}\` is no ${what}${right}`, {
    place,
    remedy: "spell it as bpftool and `countersign inspect` do",
  });
}
