import { stripVTControlCharacters } from "node:util";
import type { TestCase, TestModule, TestSuite } from "vitest/node";
import type { Reporter } from "vitest/reporters";

/** Lines of the message of a test that failed. */
const LINES = 5;
/** Milliseconds above which a test of the quick ring is slow, and how many slow ones are listed. */
const SLOW = 300;
const MOST_SLOW = 20;

/**
 * Prints each skipped test with its reason, each test that failed with the first lines of its message, each suite that
 * failed outside of its tests, then one line of counts: the end of the output says what failed. A run without the
 * tests that are marked `deep` also lists what took long: on a quiet machine it is to be made cheaper, or marked.
 * Three things fail the run that vitest lets pass, or does not count:
 *
 * - A skip without a reason: what a machine lacks has a name (`context.skip("needs BPF_LSM")`).
 * - A suite whose hook or file threw, although each of its tests passed or was skipped.
 * - A test that may be retried: one that fails once in a hundred runs has found an error.
 */
export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[] = []): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const broken = suites.filter((suite) => suite.errors().length > 0);
    const retried = tests.filter(({ options }) => retriesOf(options.retry) > 0);
    const skipped = tests.filter((test) => test.result().state === "skipped" && !isLeftOut(test));

    for (const test of skipped.filter((each) => !selectedByName() && !inside(each, broken))) {
      const { note } = test.result() as { readonly note?: string };
      if (note === undefined) process.exitCode = 1;
      console.log(`skipped: ${place(test)}: ${note ?? "NO REASON GIVEN; call context.skip(reason)"}`);
    }
    if (RING === "!deep") for (const line of slowest(tests)) console.log(line);
    for (const test of tests)
      for (const { message } of failuresOf(test)) console.log(`failed: ${place(test)}: ${beginningOf(message)}`);
    for (const suite of broken) console.log(`failed outside of its tests: ${place(suite)}: ${messageOf(suite)}`);
    for (const test of retried) console.log(`may be retried: ${place(test)}: remove \`retry\``);
    if (broken.length + retried.length + unhandled.length > 0) process.exitCode = 1;

    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const suitesFailed =
      broken.length === 0 ? "" : `, ${broken.length} ${broken.length === 1 ? "suite" : "suites"} failed`;
    console.log(`${count("passed")} passed, ${count("failed")} failed, ${skipped.length} skipped${suitesFailed}`);
  }
}

/** With `-t PATTERN` vitest marks all other tests as skipped; those need no reason. */
function selectedByName(): boolean {
  return process.argv.some((word) => word === "-t" || word.startsWith("--testNamePattern"));
}

/** The ring that scripts/test.mjs runs: `deep` or `!deep`; undefined for all tests. */
const RING = process.argv[process.argv.indexOf("--tags-filter") + 1 || Number.POSITIVE_INFINITY];

/** Whether a test is of the other ring: vitest marks it as skipped. */
function isLeftOut({ tags }: TestCase): boolean {
  return RING === "deep" ? !tags.includes("deep") : RING === "!deep" && tags.includes("deep");
}

function slowest(tests: readonly TestCase[]): readonly string[] {
  const took = (test: TestCase) => test.diagnostic()?.duration ?? 0;
  const slow = tests.filter((test) => took(test) > SLOW).sort((a, b) => took(b) - took(a));
  const lines = slow.slice(0, MOST_SLOW).map((test) => `slow: ${Math.round(took(test))} ms: ${place(test)}`);
  return slow.length > MOST_SLOW ? [...lines, `slow: ${slow.length - MOST_SLOW} more above ${SLOW} ms`] : lines;
}

/** A suite whose `beforeAll` throws skips its tests; its own line says why. */
function inside(test: TestCase, broken: readonly (TestModule | TestSuite)[]): boolean {
  for (let at: TestCase | TestModule | TestSuite = test; at.type !== "module"; at = at.parent)
    if (broken.includes(at.parent)) return true;
  return false;
}

function retriesOf(retry: number | { readonly count?: number } | undefined): number {
  return typeof retry === "object" ? (retry.count ?? 0) : (retry ?? 0);
}

function failuresOf(test: TestCase): readonly { readonly message: string }[] {
  const result = test.result();
  return result.state === "failed" ? result.errors : [];
}

/** At most the first lines of a message: the complete one is where vitest prints it, with what was compared. */
function beginningOf(message: string): string {
  const lines = stripVTControlCharacters(message).split("\n");
  return lines.length > LINES ? `${lines.slice(0, LINES).join("\n")} …` : lines.join("\n");
}

function messageOf(suite: TestModule | TestSuite): string {
  return suite
    .errors()
    .map(({ message }) => message.split("\n")[0])
    .join("; ");
}

function place(entity: TestCase | TestModule | TestSuite): string {
  return entity.type === "module" ? entity.relativeModuleId : `${entity.module.relativeModuleId} > ${entity.fullName}`;
}
