import { TARGET_KINDS } from "../../bpf/model/command-fields.js";
import { COMMAND_NAMES } from "../../bpf/model/commands.js";
import { EFFECTS } from "../../bpf/model/facts.js";
import { SETTING_KINDS } from "../../bpf/model/statement-fields.js";
import { programTypeName } from "../../bpf/object/section.js";
import { ATTACH_TYPES, HELPERS, MAP_TYPES, PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import { SECTIONS } from "../../bpf/tables/sections.gen.js";
import { CAPABILITY_NAMES } from "../../capability.js";
import { FILE_PURPOSES, MAP_ACCESS } from "../../hooks/catalogue.js";
import type { Vocabulary } from "../../policy/model/vocabulary.js";

/** The name of a type that is newer than the tables. */
const UNKNOWN = "unknown";

/** The names that facts can have, from the tables that compute the facts. */
export const VOCABULARY: Vocabulary = {
  ProgramType: [...PROGRAM_TYPES.slice(1), UNKNOWN],
  AttachType: [...ATTACH_TYPES, UNKNOWN],
  MapType: [...MAP_TYPES, UNKNOWN],
  HelperName: HELPERS.slice(1),
  EffectName: [...EFFECTS, "read_only"],
  TargetKind: TARGET_KINDS,
  SettingKind: SETTING_KINDS,
  CommandName: COMMAND_NAMES,
  Capability: CAPABILITY_NAMES,
  MapAccess: MAP_ACCESS,
  FilePurpose: FILE_PURPOSES,
  sections: new Map(SECTIONS.map(([name, type]) => [name, programTypeName(type)])),
};
