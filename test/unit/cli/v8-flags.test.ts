import { setFlagsFromString } from "node:v8";
import { beforeAll, describe, expect, it } from "vitest";
import { openUnoptimized } from "../../../src/cli/v8-flags.js";

/** kNeverOptimize of V8's runtime.h. V8 before 13 sets it for every function while optimizing is disabled. */
const NEVER_OPTIMIZE = 2;
const TELLS = Number.parseInt(process.versions.v8, 10) < 13;

let isDisabled: () => boolean;

beforeAll(() => {
  setFlagsFromString("--allow-natives-syntax");
  const status = new Function("f", "f(); return %GetOptimizationStatus(f);") as (f: () => void) => number;
  setFlagsFromString("--no-allow-natives-syntax");
  isDisabled = () => (status(() => {}) & NEVER_OPTIMIZE) !== 0;
});

describe("openUnoptimized", () => {
  it("disables V8's optimizing compiler until the engine is open", async () => {
    expect(isDisabled()).toBe(false);
    expect(await openUnoptimized(async () => isDisabled())).toBe(TELLS);
    expect(isDisabled()).toBe(false);
  });

  it("enables it again if the engine cannot be opened", async () => {
    await expect(openUnoptimized(() => Promise.reject(new RangeError("no engine")))).rejects.toThrow("no engine");
    expect(isDisabled()).toBe(false);
  });
});
