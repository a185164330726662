/** Kinds of names in facts, with the names of their types in types/countersign.d.ts. */
export const NAME_KINDS = {
  ProgramType: "program type",
  AttachType: "attach type",
  MapType: "map type",
  HelperName: "helper",
  EffectName: "effect",
  TargetKind: "kind of target",
} as const;

export type NameKind = keyof typeof NAME_KINDS;

/** The names that this version knows. Facts have no others: a newer name becomes `unknown`. */
export type Vocabulary = Readonly<Record<NameKind, readonly string[]>>;

/** For each interface of types/countersign.d.ts, the facts that are names or lead to names; `[]` marks a list. */
export const NAMED_FACTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Program: {
    type: "ProgramType",
    expected_attach_type: "AttachType",
    helpers: "HelperName[]",
    maps: "MapFacts[]",
    effects: "Effects",
  },
  MapFacts: { type: "MapType" },
  BpfMap: { type: "MapType" },
  Command: { program: "ProgramReference", map: "MapReference", attach: "AttachFacts" },
  ProgramReference: { type: "ProgramType" },
  MapReference: { type: "MapType" },
  AttachFacts: { type: "AttachType", target: "AttachTarget" },
  AttachTarget: { kind: "TargetKind", program: "ProgramReference" },
};
