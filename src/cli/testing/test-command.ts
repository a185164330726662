import type { Config } from "../../config/config.js";
import { Coverage, isAtLeast } from "../../workbench/coverage/coverage.js";
import { lcov } from "../../workbench/coverage/lcov.js";
import type { MutationRun } from "../../workbench/mutation/mutation-run.js";
import { junit } from "../../workbench/testing/junit.js";
import { type OpenEngine, runTests } from "../../workbench/testing/test-run.js";
import { writeWhole } from "../files/write.js";
import { type CacheOption, openCache } from "../input/cache-option.js";
import { openEnginesForTests } from "../input/open-engine.js";
import { printCoverage } from "../output/coverage-report.js";
import { EXIT } from "../output/exit.js";
import { printMutants } from "../output/mutation-report.js";
import { printJson, warn } from "../output/output.js";
import { type Progress, progress } from "../output/progress.js";
import { printTests } from "../output/test-report.js";

export interface TestOptions extends CacheOption {
  readonly config: string;
  readonly json?: true;
  readonly junit?: string;
  readonly coverage?: true;
  readonly lcov?: string;
  /** In percent. */
  readonly minCoverage?: number;
  readonly mutate?: true;
  readonly mutants: number;
}

/** Runs the tests once, and prints what the options ask for. Returns the exit code. */
export async function test(options: TestOptions): Promise<number> {
  const { config, open } = await openEnginesForTests(options.config, openCache(options));
  const { minCoverage = 0 } = options;
  const isMeasured = options.coverage ?? (options.lcov !== undefined || options.minCoverage !== undefined);
  const coverage = isMeasured ? new Coverage(config.file) : null;
  const { results, untested, warnings } = await runTests(config, open, coverage);
  warnings.forEach(warn);
  if (options.junit !== undefined) writeWhole(options.junit, Buffer.from(junit(results)));
  if (options.lcov !== undefined) writeWhole(options.lcov, Buffer.from(lcov(coverage!)));
  const files = coverage?.summary() ?? null;
  const isPassed = results.every(({ passed }) => passed);
  // Without this, each change of the policy would be noticed
  const mutation = options.mutate && isPassed ? await mutate(config, open, options.mutants) : null;
  if (options.json === true)
    printJson({ cases: results, untested, coverage: files, mutants: mutation?.mutants ?? null });
  else {
    printTests(results, untested);
    if (files !== null) printCoverage(files);
    if (mutation !== null) printMutants(mutation);
  }
  const isCovered = files === null || isAtLeast(minCoverage, files);
  const isNoticed = mutation === null || mutation.mutants.every(({ status }) => status !== "survived");
  return isPassed && isCovered && isNoticed ? EXIT.ok : EXIT.denied;
}

async function mutate(config: Config, open: OpenEngine, limit: number): Promise<MutationRun> {
  const { runMutants } = await import("../../workbench/mutation/mutation-run.js");
  let bar = null as Progress | null;
  try {
    return await runMutants(config, open, limit, async (_, of, place) => {
      bar ??= await progress(of);
      bar.step(place);
    });
  } finally {
    bar?.stop();
  }
}
