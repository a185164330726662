import { existsSync } from "node:fs";
import { readCases } from "../../config/cases.js";
import { testFile } from "../../config/test-file.js";
import type { Finding } from "./model/finding.js";
import { ofError } from "./reported.js";

export { labelsOfTests } from "../../engine/warnings/label-warnings.js";

/** Errors of the test beside a policy, which `countersign test` reports too. */
export function testFindings(policy: string): readonly Finding[] {
  const cases = testFile(policy);
  if (!existsSync(cases)) return [];
  try {
    readCases(cases);
    return [];
  } catch (error) {
    return [ofError(error)];
  }
}
