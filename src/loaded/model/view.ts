/** How far one source of facts could be read. */
export interface View {
  /** What was read, such as `programs`. */
  readonly name: string;
  /** Whether all of it was read. What came or went meanwhile is no gap. */
  readonly complete: boolean;
  /** Why it is not complete, as a clause; null if it is. */
  readonly reason: string | null;
}

export function completeView(name: string): View {
  return { name, complete: true, reason: null };
}

export function incompleteView(name: string, reason: string): View {
  return { name, complete: false, reason };
}
