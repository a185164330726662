import { visibleText } from "../../visible-text.js";
import { type FileCoverage, percentOf, type Share } from "../../workbench/coverage/coverage.js";
import { print } from "./output.js";
import { table } from "./table.js";

/** Prints what the tests of policies reach, and what they do not. */
export function printCoverage(files: readonly FileCoverage[]): void {
  const rows = files.map(({ file, lines, branches, missed }) => {
    return [visibleText(file), shareText(lines), shareText(branches), missed.join(", ")];
  });
  print(`\n${table(["FILE", "LINES", "BRANCHES", "NOT REACHED"], rows)}`);
}

function shareText(share: Share): string {
  return `${Math.floor(percentOf(share))}% (${share.reached}/${share.found})`;
}
