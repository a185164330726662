import { closeSync, openSync } from "node:fs";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { inheritance } from "../../../../src/gate/run/inheritance.js";
import { closeOnExec } from "../../../../src/sys/process.js";

describe("what a command inherits", () => {
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
  });

  it("is each fd above the standard ones without close-on-exec, in ascending order", () => {
    const fds = [openSync("/dev/null", "r"), openSync("/dev/null", "r")] as const;
    onTestFinished(() => {
      for (const fd of fds) closeSync(fd);
    });
    for (const fd of fds) closeOnExec(fd, false);
    const inherited = inheritance().fds;
    expect(inherited).toEqual(expect.arrayContaining([...fds]));
    expect(inherited).toEqual(inherited.toSorted((a, b) => a - b));
    expect(inherited.filter((fd) => fd < 3)).toEqual([]);
  });

  it("is the environment with which the process began, and the limit of open files", () => {
    const { environment, openFiles } = inheritance();
    const names = environment.map((each) => Buffer.from(each).toString().split("=")[0]);
    expect(names).toContain("PATH");
    expect(Number.isSafeInteger(openFiles)).toBe(true);
  });
});
