/** Exit codes of every command. */
export const EXIT = {
  /** Everything was allowed, verified or done. */
  ok: 0,
  /** Something was refused or did not verify. */
  refused: 1,
  /** Something could not be decided or done. */
  undecided: 2,
} as const;
