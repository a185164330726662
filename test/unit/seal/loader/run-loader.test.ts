import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { failureOf } from "../../../../src/seal/loader/run-loader.js";
import { own } from "../../../support/workplace.js";

/** The error code of each step that can fail, as docs/errors explains them. */
const CODES: Readonly<Record<string, string>> = {
  ...{ start: "SEAL_UNSUPPORTED", kernel: "SEAL_UNSUPPORTED", cgroup: "SEAL_UNSUPPORTED" },
  ...{ enforced: "SEAL_NOT_ENFORCED", canary: "SEAL_NOT_ENFORCED" },
  ...{
    version: "SEAL_RUNNING",
    running: "SEAL_RUNNING",
    stop: "SEAL_NOT_RUNNING",
    list: "SEAL_LIST_OTHER_KERNEL",
    loaded: "SEAL_UNLISTED_LOADED",
  },
  ...{ image: "SEAL_FAILED", keys: "SEAL_FAILED", btf: "SEAL_FAILED", map: "SEAL_FAILED", program: "SEAL_FAILED" },
  ...{ pins: "SEAL_FAILED", attach: "SEAL_FAILED", agent: "SEAL_FAILED", latch: "SEAL_FAILED" },
};

describe("a step of the loader that fails", () => {
  it("has an error code, whichever step it is", () => {
    const [, names = ""] = /STEPS\[STEP_COUNT\] = \{(.*?)\}/s.exec(
      readFileSync(own("src/seal/loader/failure.c"), "utf8"),
    )!;
    expect([...names.matchAll(/"(\w+)"/g)].map(([, name]) => name).sort()).toEqual(Object.keys(CODES).sort());
  });

  it.each(Object.entries(CODES))("is an error with place and remedy: %s", (step, code) => {
    const error = failureOf({ step, place: "somewhere", errno: "EINVAL", detail: "cannot be done" });
    expect(error).toMatchObject({ code, place: "somewhere" });
    expect(error.message).toContain("cannot be done: EINVAL");
    expect(error.remedy).toMatch(/^\w/);
  });

  it("is what the kernel permits nobody, if it is EPERM for an LSM program of root", () => {
    const error = failureOf({ step: "program", place: "guard_signature", errno: "EPERM", detail: "cannot be loaded" });
    expect(error).toMatchObject({ code: "SEAL_UNSUPPORTED", remedy: expect.stringContaining("lets nobody load LSM") });
  });
});
