import { defineConfig } from "vitest/config";

/** One project for each ring of tests; `system` runs alone, since it loads programs into the one kernel there is. */
const ring = (name: string, include: string[], more: object = {}) => ({
  test: { name, include, testTimeout: 30_000, hookTimeout: 60_000, ...more },
});

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/reporter.ts", "./test/support/stalls.ts"],
    projects: [
      ring("unit", ["test/unit/**/*.test.ts"]),
      ring("conformance", ["test/conformance/**/*.test.ts"], { testTimeout: 120_000 }),
      // bounds in wall time want the machine to themselves, and a busy one gets two more chances to keep them
      ring("hostile", ["test/hostile/**/*.test.ts"], {
        testTimeout: 120_000,
        retry: 2,
        maxWorkers: 1,
        sequence: { groupOrder: 1 },
      }),
      ring("policies", ["policies/**/*.test.ts"]),
      // an attacker that got no turn on a busy machine shows nothing: it gets another
      ring("system", ["test/system/**/*.test.ts"], {
        retry: 2,
        testTimeout: 300_000,
        hookTimeout: 600_000,
        fileParallelism: false,
      }),
    ],
  },
});
