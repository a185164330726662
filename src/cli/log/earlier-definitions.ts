import type { RecordReader } from "../../log/record-reader.js";

/** The number of definitions, and of ids of decisions, that a command keeps which follows a log. */
export const KEPT_DEFINITIONS = 65_536;

/**
 * Reads a line that is not shown, for decisions that refer to it. Lines of decisions are not parsed, since most lines
 * are decisions.
 */
export function takeDefinition(reader: RecordReader, line: string): void {
  if (!DECISION.test(line) || line.lastIndexOf(BEGINNING) > 0) reader.read(line);
}

/** A line that begins with a decision, and the beginning of a record that may follow an incomplete one in its line. */
const DECISION = /^\{"level":"[a-z]+","type":"decision"/;
const BEGINNING = '{"level":"';
