import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, type TestContext } from "vitest";

/** A cgroup for the tests of a group. */
export interface TestCgroup {
  readonly folder: string;
  /** Its path below the root of the hierarchy, as policies see it. */
  readonly path: string;
  /** Skips a test on a machine without the unified hierarchy (cgroup v2). */
  readonly needed: (context: TestContext) => void;
}

/** Makes a cgroup before the tests of a group, where that is possible, and removes it after them. */
export function cgroupForTests(): TestCgroup {
  const root = / (\S+) cgroup2 /.exec(readFileSync("/proc/self/mounts", "utf8"))?.[1];
  const path = `/countersign-${process.pid}`;
  const folder = join(root ?? "/nowhere", path);
  beforeAll(() => {
    if (root !== undefined && process.getuid?.() === 0) mkdirSync(folder);
  });
  afterAll(() => {
    if (existsSync(folder)) rmdirSync(folder);
  });
  return {
    folder,
    path,
    needed: (context) => {
      if (root === undefined) context.skip("needs a cgroup v2 hierarchy");
    },
  };
}
