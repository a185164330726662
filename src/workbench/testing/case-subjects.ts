import { describedProgram } from "../../bpf/described-program.js";
import { sha256 } from "../../bpf/insn/digest.js";
import { TOKEN } from "../../bpf/model/commands.js";
import { EFFECTS, type Effects, type Statement } from "../../bpf/model/facts.js";
import { SETTING_KINDS, type SettingKind } from "../../bpf/model/statement-fields.js";
import { ATTACH_TYPES, MAP_TYPES, PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import type { CaseBlob, CaseMap, CaseModule, CaseProgram, DescribedSubject } from "../../config/case-subject.js";
import { mapSubject } from "../../engine/files/map-subject.js";
import { loadedSubject, programSubject } from "../../engine/files/program-subject.js";
import { CountersignError } from "../../error.js";
import { type HookName, hookRow } from "../../hooks/catalogue.js";
import type { Subject } from "../../hooks/subject.js";
import { describedCommand } from "./case-command.js";
import { checkName } from "./case-name.js";

/** A subject that a test describes, at the hook that it is for. */
export interface CaseQuestion {
  readonly hook: HookName;
  readonly subject: Subject;
}

/** For each key of a described subject: the hook unless the case names one. */
const HOOKS = {
  program: "bpf_prog_load",
  map: "bpf_map_create",
  command: "bpf",
  token: "bpf_token_create",
  module: "kernel_read_file",
  executable: "bprm_check_security",
  blob: "blob_verify",
} as const satisfies Readonly<Record<DescribedSubject["kind"], HookName>>;

/**
 * Makes the subject that a case describes. Throws CONFIG_INVALID for a name that does not exist, a fact that the
 * command has not, and a hook that has other subjects, and INSN_MALFORMED for a program that cannot be assembled;
 * `place` is that of the case.
 */
export function describedQuestion(described: DescribedSubject, hook: HookName | null, place: string): CaseQuestion {
  const asked = hook ?? HOOKS[described.kind];
  const { kind } = described;
  if (!isAbout(asked, kind)) {
    const right = (Object.keys(HOOKS) as DescribedSubject["kind"][]).find((one) => isAbout(asked, one));
    throw new CountersignError("CONFIG_INVALID", `${asked} is about ${right}s, not about ${kind}s`, {
      place,
      remedy: `describe \`${right}:\`, or name another hook`,
    });
  }
  return { hook: asked, subject: subjectOf(described, asked, place) };
}

/** Whether a hook has such subjects. Those of files differ by the purpose of reading the file. */
function isAbout(hook: HookName, kind: DescribedSubject["kind"]): boolean {
  const [one, other] = [hookRow(hook), hookRow(HOOKS[kind])];
  return one.subject === other.subject && one.purpose === other.purpose;
}

function subjectOf(described: DescribedSubject, hook: HookName, place: string): Subject {
  switch (described.kind) {
    case "program":
      return programOf(described.given, place);
    case "map":
      return mapOf(described.given, hook, place);
    case "command":
      return describedCommand(described.given, place);
    case "token":
      return TOKEN;
    case "module":
      return moduleOf(described.given);
    case "executable":
      return fileOf(described.given, "exec", null);
    case "blob":
      return blobOf(described.given);
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

function blobOf(given: CaseBlob): Subject {
  return { ...given, digest: sha256(given.data) };
}

type FileContents = Omit<CaseModule, "parameters" | "unknown">;

function moduleOf({ parameters, unknown, ...given }: CaseModule): Subject {
  const facts = Object.entries(fileOf(given, "module", parameters));
  return Object.fromEntries(facts.filter(([name]) => !unknown.some((one) => one === name))) as unknown as Subject;
}

function fileOf(given: FileContents, purpose: "exec" | "module", parameters: string | null): Subject {
  const digest = sha256(given.data);
  return { ...given, digest, sha256: digest, purpose, parameters };
}
