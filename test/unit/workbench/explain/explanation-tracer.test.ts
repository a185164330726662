import { describe, expect, it } from "vitest";
import { HOOK_NAMES } from "../../../../src/hooks/catalogue.js";
import type { AttachmentOfRecord, PolicyOfRecord } from "../../../../src/log/input-records.js";
import { linkPolicy } from "../../../../src/policy/linker/linker.js";
import type { FaultCode } from "../../../../src/policy/model/outcome.js";
import { LIMIT_BOUNDS } from "../../../../src/sandbox/shared/limits.js";
import { ExplanationTracer } from "../../../../src/workbench/explain/explanation-tracer.js";

const FILES = {
  "policies/a.js":
    'import { no } from "./lib.js";\nexport const blob_verify = (blob) => blob.name === "x" ? 0 : no();\n',
  "policies/lib.js": 'import { deny } from "countersign";\nexport const no = () => deny("no");\n',
};

function linked(files: Readonly<Record<string, string>> = FILES) {
  const read = (name: string) => files[name]!;
  return linkPolicy("policies/a.js", { read, hookNames: HOOK_NAMES, root: "policies" });
}
const recorded = (files: PolicyOfRecord["files"]) => ({ file: "policies/a.js", files }) as PolicyOfRecord;
const tracer = (faults: readonly (readonly [string, FaultCode])[] = []) =>
  new ExplanationTracer({ decidedBy: { keyrings: {} }, parameter: "blob", current: {}, faults: new Map(faults) });

describe("a tracer of an explanation", () => {
  it("links a policy from its recorded files, with marks", () => {
    const its = tracer();
    const marked = its.traced(linked(), recorded(FILES));
    expect(marked.points.length).toBeGreaterThan(2);
    expect(new Set(marked.points.map(({ file }) => file))).toEqual(new Set(Object.keys(FILES)));
    expect(its.limitations).toEqual([]);
  });

  it.each([
    ["the log does not have its file", null],
    ["the log does not have its file", undefined],
    [
      "links its file to another text",
      { ...FILES, "policies/lib.js": FILES["policies/lib.js"].replace('"no"', '"nein"') },
    ],
    ["is not in the log", { "policies/a.js": FILES["policies/a.js"] }],
    ["", { ...FILES, "policies/a.js": "export const {" }],
    ["is not in the log", { ...FILES, "policies/lib.js": 7 as never }],
  ])("has the policy run as it is recorded, and says why: %s (%#)", (why, files) => {
    const its = tracer();
    const policy = linked();
    expect(its.traced(policy, recorded(files as never))).toBe(policy);
    expect(its.limitations).toEqual([expect.stringContaining(why)]);
    expect(its.limitations[0]).toMatch(/^no lines of `policies\/a\.js`: ./);
  });

  it("raises limits for what observing takes, but not the one that the policy exceeded", () => {
    const limits = { steps: 1000, memory: 1 << 20, stack: 65_536, timeout: 50 };
    const attachment = { name: "a", limits } as AttachmentOfRecord;
    expect(tracer().limits(attachment)).toEqual({ ...limits, steps: 1_002_000, memory: 2 << 20, stack: 131_072 });
    for (const [fault, limit] of [
      ["OUT_OF_STEPS", "steps"],
      ["OUT_OF_MEMORY", "memory"],
      ["OUT_OF_STACK", "stack"],
    ] as const) {
      const its = tracer([["a", fault]]).limits(attachment);
      for (const one of ["steps", "memory", "stack"] as const) expect(its[one] === limits[one]).toBe(one === limit);
    }
    const most = Object.fromEntries(Object.entries(LIMIT_BOUNDS).map(([name, [, high]]) => [name, high]));
    expect(tracer().limits({ name: "a", limits: most } as never)).toEqual(most);
  });
});
