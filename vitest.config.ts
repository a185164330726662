import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Commands that tests start keep link results: not among those of whoever runs the tests. */
const ENVIRONMENT = { XDG_CACHE_HOME: join(tmpdir(), "countersign-tests") };

/** System tests whose programs are loaded by the kernel of a virtual machine. */
const GUESTS = ["test/system/{guest,seal}/**/*.test.ts"];
const ALONE = { testTimeout: 900_000, hookTimeout: 900_000, fileParallelism: false };

const TEMPORARY = { globalSetup: "./test/support/temporary-folder.ts" };

/**
 * One project for each ring of tests; files of `system` run one by one, since they load programs into the one kernel
 * there is. Those of `guests` have kernels of their own and can run beside them. Time limits find tests that hang, and
 * say nothing about speed: on a machine with other work a test takes ten times as long.
 */
const ring = (name: string, include: string[], more: object = {}) => ({
  test: { name, include, env: ENVIRONMENT, testTimeout: 120_000, hookTimeout: 120_000, ...more },
});

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/reporter.ts", "./test/support/stalls.ts"],
    projects: [
      ring("unit", ["test/unit/**/*.test.ts"], {
        ...TEMPORARY,
        isolate: false,
        setupFiles: ["./test/support/module-cache.ts"],
      }),
      ring("conformance", ["test/conformance/**/*.test.ts"], TEMPORARY),
      ring("hostile", ["test/hostile/**/*.test.ts"], TEMPORARY),
      // these only ask policies: importing the engine again for each file would take most of the time
      ring("policies", ["policies/**/*.test.ts"], { ...TEMPORARY, isolate: false }),
      ring("system", ["test/system/**/*.test.ts"], { ...ALONE, exclude: GUESTS }),
      ring("guests", GUESTS, ALONE),
    ],
  },
});
