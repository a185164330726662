import { existsSync } from "node:fs";
import { labelKeysOf, readCases } from "../../config/cases.js";
import { testFile } from "../../config/test-file.js";
import type { Finding } from "./model/finding.js";
import { ofErrors } from "./reported.js";

/** What the test beside a policy says of it. */
export interface LintedTest {
  /** Errors of the test, which `countersign test` reports too. */
  readonly findings: readonly Finding[];
  /** The keys of labels in its cases; none if it cannot be read. */
  readonly labels: ReadonlySet<string>;
}

/** Reads the test beside a policy once. A policy without one has neither findings nor labels. */
export function lintTest(policy: string): LintedTest {
  const file = testFile(policy);
  if (!existsSync(file)) return NO_TEST;
  try {
    return { findings: [], labels: labelKeysOf(readCases(file)) };
  } catch (error) {
    return { ...NO_TEST, findings: ofErrors(error) };
  }
}

const NO_TEST: LintedTest = { findings: [], labels: new Set() };
