/** How two texts are compared, in UTF-16 code units. */
export const TEXT_RELATIONS = {
  equal: (text: string, other: string) => text === other,
  starts: (text: string, part: string) => text.startsWith(part),
  ends: (text: string, part: string) => text.endsWith(part),
  includes: (text: string, part: string) => text.includes(part),
} as const;

export type TextRelation = keyof typeof TEXT_RELATIONS;
