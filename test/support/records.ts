import { readFileSync } from "node:fs";
import type { DecisionRecord } from "../../src/log/record.js";

/** The records of a decision log's text, for tests that expect decisions. */
export function recordsIn(text: string): readonly DecisionRecord[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line));
}

/** The records of a decision log. */
export function recordsOf(file: string): readonly DecisionRecord[] {
  return recordsIn(readFileSync(file, "utf8"));
}
