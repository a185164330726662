import { resolve } from "node:path";
import type { Config } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import { Coverage, isAtLeast } from "../../workbench/coverage/coverage.js";
import { lcov } from "../../workbench/coverage/lcov.js";
import type { MutationRun } from "../../workbench/mutation/mutation-run.js";
import { junit } from "../../workbench/testing/junit.js";
import { type OpenEngine, runTests } from "../../workbench/testing/test-run.js";
import { changeOf } from "../../workbench/testing/watched-files.js";
import { writeWhole } from "../files/write.js";
import { type CacheOption, openCache } from "../input/cache-option.js";
import { openEnginesForTests } from "../input/open-engine.js";
import { printCoverage } from "../output/coverage-report.js";
import { EXIT } from "../output/exit.js";
import { printMutants } from "../output/mutation-report.js";
import { printError, printJson, warn } from "../output/output.js";
import { type Progress, progress } from "../output/progress.js";
import { printTests } from "../output/test-report.js";
import type { ProvedPolicies } from "./policy-properties.js";

export interface TestOptions extends CacheOption {
  readonly config: string;
  readonly json?: true;
  readonly junit?: string;
  readonly coverage?: true;
  readonly lcov?: string;
  /** In percent. */
  readonly minCoverage?: number;
  readonly prove?: true;
  /** The most paths of one property. */
  readonly maxPaths: number;
  /** The most time for all properties together, in seconds. */
  readonly timeout: number;
  readonly mutate?: true;
  readonly mutants: number;
  readonly watch?: true;
}

/** Runs the tests, and with `watch` again after each change of a file. Returns the exit code of the only run. */
export async function test(options: TestOptions): Promise<number> {
  if (!options.watch) return (await runOnce(options)).code;
  let files: readonly string[] = [resolve(options.config)];
  for (;;) {
    const start = Date.now();
    try {
      files = (await runOnce(options)).files;
    } catch (error) {
      // The files of the last run that could be started are still watched, so that a correction is noticed
      if (!(error instanceof CountersignError)) throw error;
      printError(error);
    }
    await changeOf(files, start);
  }
}

interface OneRun {
  readonly code: number;
  /** The files that the results depend on: the configuration, policies, maps, and tests with the files of cases. */
  readonly files: readonly string[];
}

/** Runs the tests once, and prints what the options ask for. */
async function runOnce(options: TestOptions): Promise<OneRun> {
  const { config, open } = await openEnginesForTests(options.config, openCache(options));
  const { minCoverage = 0 } = options;
  const isMeasured = options.coverage ?? (options.lcov !== undefined || options.minCoverage !== undefined);
  const coverage = isMeasured ? new Coverage(config.file) : null;
  const { results: cases, untested, warnings, files: read } = await runTests(config, open, coverage);
  const proved = options.prove === true ? await prove(config, options) : null;
  const results = [...cases, ...(proved?.results ?? [])];
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
  return {
    code: isPassed && isCovered && isNoticed ? EXIT.ok : EXIT.denied,
    files: [config.file, ...read, ...(proved?.files ?? [])].map((file) => resolve(file)),
  };
}

/** Proves the properties beside the policies: the prover is loaded for this only. */
async function prove(config: Config, { maxPaths, timeout }: TestOptions): Promise<ProvedPolicies> {
  const { provePolicies } = await import("./policy-properties.js");
  return provePolicies(config, { paths: maxPaths, timeout: 1000 * timeout });
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
