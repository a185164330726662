/** Kinds of names in facts, with the names of their types in types/countersign.d.ts. */
export const NAME_KINDS = {
  ProgramType: "program type",
  AttachType: "attach type",
  MapType: "map type",
  HelperName: "helper",
  EffectName: "effect",
  TargetKind: "kind of target",
  SettingKind: "kind of setting",
} as const;

export type NameKind = keyof typeof NAME_KINDS;

/** The names that this version knows. Facts have no others: a newer name becomes `unknown`. */
export type Vocabulary = Readonly<Record<NameKind, readonly string[]>>;
