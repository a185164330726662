import { SUBJECT_FIELDS } from "../../../config/subject-fields.js";
import { rowsByName } from "../../../fact-type.js";
import { HOOK_NAMES, type HookName, hookRow, SUBJECT_KINDS, type SubjectKind } from "../../../hooks/catalogue.js";
import { type SubjectField, unknownCases } from "../../../known-fact.js";

/** A case in which a subject lacks a fact. */
interface UnknownCase {
  /** As a clause: `for a module outside of a gate`. */
  readonly when: string;
  /** The hooks at which this can be. */
  readonly hooks: readonly HookName[];
}

/** When facts are unknown to policies, by their interface in types/countersign.d.ts: `File.path`. */
export type UnknownCases = ReadonlyMap<string, readonly UnknownCase[]>;

/** In the ways in which policies decide about an operation. */
export const WHEN_DECIDING: UnknownCases = casesOf(false);
/** In a scan, where they say what they would have decided. */
export const WHEN_SCANNING: UnknownCases = casesOf(true);

function casesOf(isScan: boolean): UnknownCases {
  const found = Object.entries(SUBJECT_FIELDS).flatMap(([kind, fields]) => {
    const hooks = HOOK_NAMES.filter((hook) => hookRow(hook).subject === kind);
    return [...rowsByName(SUBJECT_KINDS[kind as SubjectKind].declared, fields)].map(([name, row]) => {
      const cases = "known" in row ? unknownCases(row as SubjectField, isScan) : [];
      const at = cases.map((one) => ({
        when: one.unknown,
        hooks: hooks.filter((hook) => one.at?.includes(hook) ?? true),
      }));
      return [name, at.filter((one) => one.hooks.length > 0)] as const;
    });
  });
  return new Map(found.filter(([, cases]) => cases.length > 0));
}
