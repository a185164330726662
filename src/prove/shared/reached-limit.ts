/** The limits that end an exploration; `cases` are those of one loop. */
export type LimitName = "paths" | "timeout" | "cases";

/** The limit that ended an exploration before all paths were explored. */
export interface ReachedLimit {
  readonly limit: LimitName;
  readonly words: string;
}
