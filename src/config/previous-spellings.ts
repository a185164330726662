import type { Path } from "./document.js";

/** A key or a value as an earlier version spelled it. */
export interface PreviousSpelling {
  /** The path of the key, with dots between steps; `*` is any key of a mapping and `[]` any item of a list. */
  readonly path: string;
  /** The previous value of the key; absent if the key itself was renamed. */
  readonly value?: string;
  /** The key or value that replaces it. */
  readonly now: string;
}

/**
 * Previous spellings in configurations and in the tests beside policies, which are lists. Both the error for a previous
 * spelling and `countersign config upgrade` read this table. No key or value of 0.2.0 has another spelling so far.
 */
export const PREVIOUS_SPELLINGS: readonly PreviousSpelling[] = [];

/** The key that replaces the key at `path`, or null if that is not a previous spelling. */
export function renamedKey(path: Path, spellings: readonly PreviousSpelling[]): string | null {
  return spellings.find((row) => row.value === undefined && matches(row.path, path))?.now ?? null;
}

/** The value that replaces `value` at `path`, or null if that is not a previous spelling. */
export function renamedValue(path: Path, value: unknown, spellings: readonly PreviousSpelling[]): string | null {
  return spellings.find((row) => row.value === value && matches(row.path, path))?.now ?? null;
}

function matches(pattern: string, path: Path): boolean {
  const steps = pattern.split(".");
  if (steps.length !== path.length) return false;
  return steps.every((step, index) => {
    const isItem = typeof path[index] === "number";
    return step === "[]" ? isItem : !isItem && (step === "*" || step === path[index]);
  });
}
