import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Commands that tests start keep link results: not among those of whoever runs the tests. */
const ENVIRONMENT = { XDG_CACHE_HOME: join(tmpdir(), "countersign-tests") };

/** System tests whose programs are loaded by the kernel of a virtual machine. */
const GUESTS = ["test/system/{guest,seal}/**/*.test.ts"];
/** System tests that need programs and files of Debian's packages, and load nothing. */
const PACKAGES = [
  "test/system/{completion,core,statement}/**/*.test.ts",
  "test/system/{disassembly,explanation-page,foreign-keys,openssl-*,package,prove-*,report}.test.ts",
  "test/system/{sign-*,signatures,time-stamp-usage,typescript-versions}.test.ts",
];
const ALONE = { testTimeout: 900_000, hookTimeout: 900_000, fileParallelism: false };
/**
 * Of two processors vitest leaves one idle. With both, files of `unit` meet in a process in another order each time,
 * and some of their tests still depend on what earlier files left there.
 */
const ABREAST = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  globalSetup: "./test/support/temporary-folder.ts",
};

/**
 * One project for each ring of tests; files of `system` run one by one, since they load programs into the one kernel
 * there is. Those of `guests`, which have kernels of their own, and of `packages` can run beside them. Time limits find
 * tests that hang, and say nothing about speed: on a machine with other work a test takes ten times as long.
 */
const ring = (name: string, include: string[], more: object = ABREAST) => ({
  test: { name, include, env: ENVIRONMENT, ...more },
});

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/reporter.ts", "./test/support/stalls.ts"],
    projects: [
      ring("unit", ["test/unit/**/*.test.ts"], {
        ...ABREAST,
        isolate: false,
        setupFiles: ["./test/support/module-cache.ts"],
      }),
      ring("conformance", ["test/conformance/**/*.test.ts"]),
      ring("hostile", ["test/hostile/**/*.test.ts"]),
      // these only ask policies: importing the engine again for each file would take most of the time
      ring("policies", ["policies/**/*.test.ts"], { ...ABREAST, isolate: false }),
      ring("system", ["test/system/**/*.test.ts"], { ...ALONE, exclude: [...GUESTS, ...PACKAGES] }),
      ring("packages", PACKAGES, ALONE),
      ring("guests", GUESTS, ALONE),
    ],
  },
});
