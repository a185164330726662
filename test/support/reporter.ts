import type { TestCase, TestModule } from "vitest/node";
import type { Reporter } from "vitest/reporters";

/**
 * Prints each skipped test with its reason, then one plain line of counts. A skip without a reason fails the run: what
 * a machine lacks has a name (`context.skip("needs BPF_LSM")`).
 */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const test of modules.flatMap((module) => [...module.children.allTests()])) {
      const result = test.result();
      if (result.state === "passed" || result.state === "failed") counts[result.state] += 1;
      if (result.state !== "skipped") continue;
      counts.skipped += 1;
      if (selectedByName()) continue;
      if (result.note === undefined) process.exitCode = 1;
      console.log(`skipped: ${place(test)}: ${result.note ?? "NO REASON GIVEN; call context.skip(reason)"}`);
    }
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}

/** With `-t PATTERN` vitest marks all other tests as skipped; those need no reason. */
function selectedByName(): boolean {
  return process.argv.some((word) => word === "-t" || word.startsWith("--testNamePattern"));
}

function place(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}
