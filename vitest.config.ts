import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import FileOrder from "./test/support/file-order.js";

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
/** System tests that start programs of others, each for about a minute: see `leftOut`. */
const FOREIGN_TOOLS = [
  "test/system/gate/{bcc,replaced,statements}.test.ts",
  "test/system/{gate/bpftrace,gate/stated-tools,scan/identified}.test.ts",
];
/** CI leaves out half of them by the commit: COUNTERSIGN_HALF is 1 or 2, the half that runs. Unset, all run. */
const leftOut = { 1: FOREIGN_TOOLS.slice(1), 2: FOREIGN_TOOLS.slice(0, 1) }[process.env.COUNTERSIGN_HALF ?? ""] ?? [];
const ALONE = { testTimeout: 900_000, hookTimeout: 900_000, fileParallelism: false };
/** Files of `unit` that start the command, or read `dist/`: they need a build, and the others do not. */
const COMMANDS = [
  "test/unit/cli/commands/log-export.test.ts",
  "test/unit/cli/commands/log.test.ts",
  "test/unit/cli/commands/repl.test.ts",
  "test/unit/cli/first-start.test.ts",
  "test/unit/cli/start.test.ts",
  "test/unit/engine/embedding.test.ts",
  "test/unit/engine/harmful-policies.test.ts",
  "test/unit/engine/sealed-keyrings.test.ts",
  "test/unit/engine/watchdog.test.ts",
  "test/unit/gate/agent/agent.test.ts",
  "test/unit/gate/agent/fd-store/fd-store-containers.test.ts",
  "test/unit/gate/agent/fd-store/handover.test.ts",
  "test/unit/gate/agent/kubernetes/pods.test.ts",
  "test/unit/gate/agent/rejected/rejected-listeners.test.ts",
  "test/unit/gate/run/command-process.test.ts",
  "test/unit/gate/run/run.test.ts",
  "test/unit/gate/supervisor/blocking-worker-pool.test.ts",
  "test/unit/gate/supervisor/blocking-workers.test.ts",
  "test/unit/gate/supervisor/gate-supervisor.test.ts",
  "test/unit/gate/supervisor/images.test.ts",
  "test/unit/gate/supervisor/shadow.test.ts",
  "test/unit/gate/worker/decision-loop.test.ts",
  "test/unit/log/three-writers.test.ts",
  "test/unit/package.test.ts",
  "test/unit/scripts/sbom.test.ts",
  "test/unit/seal/agent/agent-files.test.ts",
  "test/unit/trust/model/signer.test.ts",
  "test/unit/trust/sigstore/sigstore.test.ts",
  "test/unit/trust/x509/trusted-certificates.test.ts",
  "test/unit/workbench/report.test.ts",
  "test/unit/workbench/testing/watched-files.test.ts",
];
/** Options of rings whose files run at the same time. */
const ABREAST = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  globalSetup: "./test/support/temporary-folder.ts",
};
/** Files that share the modules of their process: see module-cache.ts. */
const SHARED = { ...ABREAST, isolate: false, setupFiles: ["./test/support/module-cache.ts"] };

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
    // vitest leaves one processor idle
    maxWorkers: availableParallelism(),
    sequence: { sequencer: FileOrder },
    tags: [
      { name: "deep", description: "not in `npm test`, but in `npm run test:deep`: takes above 300 ms of a processor" },
    ],
    reporters: ["default", "./test/support/reporter.ts", "./test/support/stalls.ts"],
    projects: [
      ring("unit", ["test/unit/**/*.test.ts"], { ...SHARED, exclude: COMMANDS }),
      ring("commands", COMMANDS, SHARED),
      ring("conformance", ["test/conformance/**/*.test.ts"], SHARED),
      ring("hostile", ["test/hostile/**/*.test.ts"], SHARED),
      // these only ask policies: importing the engine again for each file would take most of the time
      ring("policies", ["policies/**/*.test.ts"], { ...ABREAST, isolate: false }),
      ring("system", ["test/system/**/*.test.ts"], { ...ALONE, exclude: [...GUESTS, ...PACKAGES, ...leftOut] }),
      ring("packages", PACKAGES, ALONE),
      ring("guests", GUESTS, ALONE),
    ],
  },
});
