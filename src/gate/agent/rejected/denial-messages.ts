/** What a denial thread starts with. */
export interface DenialThreadData {
  /** An eventfd that signals messages. */
  readonly bell: number;
  /** One counter: the calls that were denied. */
  readonly denied: BigInt64Array;
}

/** `cursor`: the fd of a file for the listener's `NotificationCursor`; negative for none. */
export type ToDenialThread =
  | { readonly do: "deny"; readonly fd: number; readonly cursor: number }
  | { readonly do: "stop" };

export type FromDenialThread =
  | { readonly is: "opened"; readonly fds: readonly number[] }
  | { readonly is: "ready" }
  /** No task has this listener's filter any more. The thread no longer uses the fd. */
  | { readonly is: "hangup"; readonly fd: number };
