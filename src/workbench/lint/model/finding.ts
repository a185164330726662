/** An error is a mistake with a certain consequence; a warning is code that does something else than it seems to. */
export type Severity = "error" | "warning";

/** A replacement in a file's text. Offsets count UTF-16 code units. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** One mistake that lint found. Plain data, in the form that `--json` prints. */
export interface Finding {
  /** A code of {@link LINT_RULES}, of `ERROR_CODES` or of `WARNING_CODES`, or `TS` and the number of TypeScript. */
  readonly code: string;
  readonly severity: Severity;
  /** One line that says what is wrong and what follows from it. */
  readonly message: string;
  /** The file by its path relative to the working directory, with slashes; null if the place is not in a file. */
  readonly file: string | null;
  /** Line and column count from 1; columns are UTF-16 code units. Null if the mistake is about the whole file. */
  readonly line: number | null;
  readonly column: number | null;
  /** What the reader can do about it, as an imperative without a full stop. */
  readonly remedy: string | null;
  /** What `--fix` changes. */
  readonly fix: readonly TextEdit[] | null;
}

/** Sorts findings by file and place, and leaves out those that say the same about the same place. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  const distinct = findings.filter(({ code, file, line, column, message }) => {
    const key = JSON.stringify([code, file, line, column, message]);
    return !seen.has(key) && seen.add(key) !== undefined;
  });
  return distinct.sort(
    (left, right) =>
      compare(left.file ?? "", right.file ?? "") ||
      (left.line ?? 0) - (right.line ?? 0) ||
      (left.column ?? 0) - (right.column ?? 0) ||
      compare(left.code, right.code),
  );
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
