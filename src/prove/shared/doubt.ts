import type { LimitName, ReachedLimit } from "./reached-limit.js";

/** Something that is not decided, and where. */
export interface Doubt {
  readonly why: string;
  /** `file:line`; null if it is not known. */
  readonly place: string | null;
  /** The limit of the exploration that was reached; absent if something else is the reason. */
  readonly limit?: LimitName;
  /** Present if the engine decides an example in another way than the explorer: a fault of the explorer. */
  readonly contradicted?: true;
}

/** What an exploration that reached a limit leaves undecided. */
export function limitDoubt({ limit, words }: ReachedLimit): Doubt {
  return { why: `the exploration is not complete: ${words}`, place: null, limit };
}

export function distinctDoubts(doubts: readonly Doubt[]): readonly Doubt[] {
  return [...new Map(doubts.map((one) => [`${one.place} ${one.why}`, one])).values()];
}
