/** Descriptions of the values of enum bpf_core_relo_kind (include/uapi/linux/bpf.h). */
export const CORE_RELO_KINDS = [
  "offset of field",
  "size of field",
  "existence of field",
  "signedness of field",
  "left shift of field",
  "right shift of field",
  "local id of type",
  "kernel's id of type",
  "existence of type",
  "size of type",
  "existence of enumerator",
  "value of enumerator",
  "match of type",
] as const;

export const RELO = {
  FIELD_BYTE_OFFSET: 0,
  FIELD_BYTE_SIZE: 1,
  FIELD_EXISTS: 2,
  FIELD_SIGNED: 3,
  FIELD_LSHIFT_U64: 4,
  FIELD_RSHIFT_U64: 5,
  TYPE_ID_LOCAL: 6,
  TYPE_ID_TARGET: 7,
  TYPE_EXISTS: 8,
  TYPE_SIZE: 9,
  ENUMVAL_EXISTS: 10,
  ENUMVAL_VALUE: 11,
  TYPE_MATCHES: 12,
} as const;

export type ReloFamily = "field" | "type" | "enumerator";

const FAMILIES: readonly ReloFamily[] = [
  ...(["field", "field", "field", "field", "field", "field"] as const),
  ...(["type", "type", "type", "type", "enumerator", "enumerator", "type"] as const),
];

/** What a kind of relocation is about; null for a kind that this version does not know. */
export function familyOf(kind: number): ReloFamily | null {
  return FAMILIES[kind] ?? null;
}
