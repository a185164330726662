import { didYouMean } from "../../nearest.js";

/** Kinds of names in facts, with the names of their types in types/countersign.d.ts. */
export const NAME_KINDS = {
  ProgramType: "program type",
  AttachType: "attach type",
  MapType: "map type",
  HelperName: "helper",
  EffectName: "effect",
  TargetKind: "kind of target",
  SettingKind: "kind of setting",
  CommandName: "command of bpf(2)",
  Capability: "capability",
  MapAccess: "access to a map",
  FilePurpose: "purpose",
} as const;

export type NameKind = keyof typeof NAME_KINDS;

/** The names that this version knows. Facts have no others: a newer name becomes `unknown`. */
export interface Vocabulary extends Readonly<Record<NameKind, readonly string[]>> {
  /** The program type of each section that libbpf knows, by the section's name without a target: `tc`, `sched_cls`. */
  readonly sections: ReadonlyMap<string, string>;
}

/** What a name that does not exist most likely means, in brackets after a space; or the empty string. */
export function meant(kind: NameKind, name: string, vocabulary: Vocabulary): string {
  const type = kind === "ProgramType" ? vocabulary.sections.get(name) : undefined;
  const capability = `CAP_${name.toUpperCase()}`;
  if (kind === "Capability" && vocabulary.Capability.includes(capability)) return ` (did you mean \`${capability}\`?)`;
  if (type === undefined) return didYouMean(name, vocabulary[kind]);
  return ` (programs in libbpf's section \`${name}\` have the type \`${type}\`)`;
}
