import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Commands that tests start keep link results: not among those of whoever runs the tests. */
const ENVIRONMENT = { XDG_CACHE_HOME: join(tmpdir(), "countersign-tests") };

/**
 * One project for each ring of tests; `system` runs alone, since it loads programs into the one kernel there is. Time limits
 * find tests that hang, and say nothing about speed: on a machine with other work a test takes ten times as long.
 */
const ring = (name: string, include: string[], more: object = {}) => ({
  test: { name, include, env: ENVIRONMENT, testTimeout: 120_000, hookTimeout: 120_000, ...more },
});

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/reporter.ts", "./test/support/stalls.ts"],
    projects: [
      ring("unit", ["test/unit/**/*.test.ts"]),
      ring("conformance", ["test/conformance/**/*.test.ts"]),
      ring("hostile", ["test/hostile/**/*.test.ts"]),
      ring("policies", ["policies/**/*.test.ts"]),
      ring("system", ["test/system/**/*.test.ts"], {
        testTimeout: 300_000,
        hookTimeout: 600_000,
        fileParallelism: false,
      }),
    ],
  },
});
