import { expect, it } from "vitest";
import { hookNamed } from "../../../../../src/cli/commands/prove/hook-option.js";
import { HOOK_NAMES } from "../../../../../src/hooks/catalogue.js";

it("is one of the hooks, or none", () => {
  expect(hookNamed(undefined)).toBeNull();
  for (const name of HOOK_NAMES) expect(hookNamed(name)).toBe(name);
  expect(() => hookNamed("bpf_prog_lod")).toThrow(expect.objectContaining({ code: "USAGE" }));
  expect(() => hookNamed("")).toThrow(expect.objectContaining({ code: "USAGE" }));
});
