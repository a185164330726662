import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";
import { kernelOfSuite } from "./kernel.js";

/** CI makes these calls on this machine's kernel, in test/system/gate. */
const KERNELS = ["6.12", "7.3"] as const;
const NEEDED = ["qemu-system-x86_64", "busybox", "dpkg-deb", "mkfs.ext4", "gcc"];
const FILE = "test/system/gate/faults.test.ts";
/** Tests of the file. */
const TESTS = 3;

describe("calls of bpf(2) that are valid, or have faults, on other kernels", () => {
  it.for(KERNELS)("come to the same behind a gate as without one on Linux %s", (name, context) => {
    if (process.env.COUNTERSIGN_NIGHTLY === undefined) context.skip("takes minutes: nightly");
    for (const program of NEEDED)
      if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) context.skip(`needs ${program}`);
    const kernel = kernelOfSuite(name);
    if (typeof kernel === "string") return context.skip(kernel);
    const words = ["--kernel", kernel.folder, "--memory", "3072", "--seconds", "3000", FILE];
    const { status, stdout, stderr } = spawnSync("bash", [own("scripts/guest-ring.sh"), ...words], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    expect(stdout, stderr).toContain(`${TESTS} passed, 0 failed, 0 skipped`);
    expect(status).toBe(0);
  });
});
