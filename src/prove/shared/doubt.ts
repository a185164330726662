/** Something that is not decided, and where. */
export interface Doubt {
  readonly why: string;
  /** `file:line`; null if it is not known. */
  readonly place: string | null;
}

export function distinctDoubts(doubts: readonly Doubt[]): readonly Doubt[] {
  return [...new Map(doubts.map((one) => [`${one.place} ${one.why}`, one])).values()];
}
