import type { Statement } from "../../bpf/model/facts.js";

/**
 * Which statements the program matches that a live load extends, by the statements that the load matches. Programs of
 * object files, and those that another process of the gate decided on, extend none.
 */
const extended = new WeakMap<Statement, readonly Statement[]>();

export function rememberExtended(statements: readonly Statement[], target: readonly Statement[]): void {
  for (const statement of statements) extended.set(statement, target);
}

/** Null if the program that matches the statement extends none. */
export function extendedBy(statement: Statement): readonly Statement[] | null {
  return extended.get(statement) ?? null;
}
