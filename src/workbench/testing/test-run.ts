import { dirname, relative, resolve } from "node:path";
import type { PolicyCase } from "../../config/cases.js";
import type { Config } from "../../config/config.js";
import { testFile } from "../../config/test-file.js";
import { TestProbe } from "../../engine/decision/test-probe.js";
import { decideFile } from "../../engine/file-decisions.js";
import type { FileSnapshot } from "../../engine/load/file-cache.js";
import type { TimedEngine } from "../../engine/timed-engine.js";
import { CountersignError } from "../../error.js";
import type { Decision } from "../../hooks/decision.js";
import { LIMIT_BOUNDS } from "../../sandbox/shared/limits.js";
import type { Warning } from "../../warning.js";
import type { Coverage } from "../coverage/coverage.js";
import { answerText, type CaseResult, expectedText, isExpected } from "./case-result.js";
import { describedQuestion } from "./case-subjects.js";
import { type PolicyTest, policyTests, type Untested, untested } from "./policy-tests.js";

/** Opens an engine for tests; `config` and `texts` replace the configuration and the texts of its files. */
export type OpenEngine = (probe: TestProbe, config?: Config, texts?: FileSnapshot | null) => Promise<TimedEngine>;

/** The results of all tests beside a configuration's policies. */
export interface TestRun {
  readonly results: readonly CaseResult[];
  readonly untested: readonly Untested[];
  /** Those of the engine's start. */
  readonly warnings: readonly Warning[];
  /** Paths of the files of policies and maps, of the tests, whether they exist or not, and of the files of cases. */
  readonly files: readonly string[];
}

/**
 * Runs the tests beside a configuration's policies; with `coverage`, adds to it what they reach. Throws what opening
 * the engine and {@link runCase} throw.
 */
export async function runTests(config: Config, open: OpenEngine, coverage: Coverage | null = null): Promise<TestRun> {
  const probe = new TestProbe(coverage !== null);
  const engine = await (coverage === null ? open(probe) : open(probe, unhurried(config)));
  try {
    const tests = policyTests(config);
    const points = engine.points();
    const results: CaseResult[] = [];
    if (coverage !== null) for (const of of points.values()) coverage.add(of, new Set());
    for (const test of tests)
      for (const one of test.cases) {
        results.push(...(await runCase(engine, probe, test, one)));
        coverage?.add(points.get(test.attachment)!, probe.reached.get(test.attachment) ?? new Set());
      }
    const files = [
      ...engine.texts.keys(),
      ...config.attachments.map(({ policy }) => testFile(policy)),
      ...casesFiles(tests),
    ];
    return { results, untested: untested(engine, results), warnings: engine.warnings, files };
  } finally {
    engine.close();
  }
}

function casesFiles(tests: readonly PolicyTest[]): string[] {
  return tests.flatMap(({ file, cases }) =>
    cases.flatMap(({ subject }) => (subject.kind === "file" ? [resolve(dirname(file), subject.file)] : [])),
  );
}

/** The configuration with the longest timeouts, so that what tests find does not depend on the machine. */
export function unhurried(config: Config): Config {
  const timeout = LIMIT_BOUNDS.timeout[1];
  return { ...config, attachments: config.attachments.map((one) => ({ ...one, limits: { ...one.limits, timeout } })) };
}

/**
 * Runs one case of a policy's test: one result for each subject in its file, or for the one that it describes. A case
 * begins with the maps as they are configured, or as it says, and without the writes of earlier cases. Throws what
 * reading the file throws, CONFIG_INVALID, and MAP_INVALID for maps that break their schema, all with the place of the
 * case.
 */
export async function runCase(
  engine: TimedEngine,
  probe: TestProbe,
  { attachment, file: test }: PolicyTest,
  one: PolicyCase,
): Promise<readonly CaseResult[]> {
  try {
    engine.reset(one.maps);
  } catch (error) {
    throw error instanceof CountersignError ? error.within(relative("", one.place)) : error;
  }
  probe.begin(one.helpers);
  const start = performance.now();
  const decisions = await decide(engine, one, test);
  const duration = (performance.now() - start) / decisions.length;
  const unused_answers = one.helpers.map(({ call }) => call).filter((call) => !probe.used.has(call));
  const isAsked = decisions.some(({ answers }) => answers.some((its) => its.attachment === attachment));
  return decisions.map(({ hook, subject, answers }) => {
    const answer = answers.find((its) => its.attachment === attachment) ?? null;
    return {
      attachment,
      place: relative("", one.place),
      name: one.name,
      file: `${one.subject.kind === "file" ? one.subject.file : one.subject.kind} ${subject.name}`,
      hook,
      expected: expectedText(one),
      got: answerText(answer, one),
      unused_reasons: answer?.unused_reasons ?? [],
      unused_answers,
      passed: isExpected(one, answer) && (unused_answers.length === 0 || !isAsked),
      duration,
    };
  });
}

async function decide(engine: TimedEngine, one: PolicyCase, test: string): Promise<readonly Decision[]> {
  const { subject, hook, current, time } = one;
  if (subject.kind === "file") {
    const path = resolve(dirname(test), subject.file);
    try {
      const decided = await decideFile(engine, path, { current, hook: hook ?? undefined, time });
      return decided.map(({ decision }) => decision);
    } catch (error) {
      throw error instanceof CountersignError ? error.within(relative("", one.place)) : error;
    }
  }
  const question = describedQuestion(subject, hook, one.place);
  return [await engine.decide({ ...question, subject: question.subject as never, current, time })];
}
