/** A way into a document: keys and indexes. */
export type Path = readonly PropertyKey[];

/** The values of a document, and where each stands. */
export interface Tree {
  readonly value: unknown;
  /** Offset into the text of a value or of its key; if there is none, of the nearest value around it. */
  offset(path: Path, what: "key" | "value"): number;
  /**
   * Where a string's first character stands in the text behind its place: 1 for a quoted one; null if it is not written on one
   * line as it is.
   */
  quote(path: Path): number | null;
}
