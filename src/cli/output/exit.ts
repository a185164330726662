/** Exit codes of every command. */
export const EXIT = {
  /** Everything was allowed, verified or done. */
  ok: 0,
  /** Something was denied or did not verify. */
  denied: 1,
  /** Something could not be decided or done, including a fault of a policy. */
  undecided: 2,
  /** The reader closed the output early. A shell reports 128 + 13 for a command that SIGPIPE (13) ended. */
  unread: 128 + 13,
} as const;
