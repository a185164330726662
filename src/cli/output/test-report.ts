import { visibleText } from "../../visible-text.js";
import type { CaseResult } from "../../workbench/testing/case-result.js";
import type { Untested } from "../../workbench/testing/policy-tests.js";
import { print, styled } from "./output.js";
import { table } from "./table.js";
import { unusedReasons } from "./unused-reasons.js";

/** Prints the results of cases, and what no case asks. */
export function printTests(results: readonly CaseResult[], untested: readonly Untested[]): void {
  print(table(["", "CASE", "SUBJECT", "ANSWER"], results.map(row)));
  if (untested.length > 0) print(`\nno test: ${visibleText(untested.map(untestedText).join("; "))}`);
  const failed = results.filter(({ passed }) => !passed).length;
  print(`\n${results.length - failed} passed, ${failed} failed`);
}

function row({ passed, place, name, file, expected, got, unused_answers, ...its }: CaseResult): string[] {
  const word = passed ? styled("green", "passed") : styled("red", "failed");
  const answer = (passed ? got : `expected ${expected}, got ${got}`) + unusedReasons(its);
  const unused = passed || unused_answers.length === 0 ? "" : ` (not asked for: ${unused_answers.join(", ")})`;
  return [word, ...[name === null ? place : `${place} ${name}`, file, answer + unused].map(visibleText)];
}

function untestedText({ attachment, hooks, is_whole }: Untested): string {
  return is_whole ? attachment : `${hooks.join(", ")} of ${attachment}`;
}
