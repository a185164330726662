import { describe, expect, it } from "vitest";
import { commonAttachments } from "../../../../src/prove/configuration/common-attachments.js";
import { type Files, withTwo } from "../../../support/prove-compare.js";

const POLICIES: Files = {
  "a.js": "export const bpf_prog_load = () => 0;\n",
  "b.js": "export const bpf_prog_load = () => -1;\n",
};
const files = (attachments: string, more = "", own: Files = {}): Files => ({
  ...POLICIES,
  ...own,
  "countersign.yaml": `version: 1\nattachments: [${attachments}]\n${more}\n`,
});
const commonIn = (old: Files, its: Files) => withTwo(old, its, (one, other) => commonAttachments(one, other, HOOK));
const HOOK = "bpf_prog_load";
const [A, B] = ["{ policy: a.js }", "{ policy: b.js }"];

describe("what two configurations have in common", () => {
  it("are attachments with the same policy, name, mode, fault and scope, in the same order", () => {
    const { hooks, common } = commonIn(files(`${A}, ${B}`), files(`${A}, ${B}`));
    expect([hooks, common]).toEqual([
      { old: [0, 1], new: [0, 1] },
      [
        [0, 0],
        [1, 1],
      ],
    ]);
    expect(commonIn(files(`${A}, ${B}`), files(`${B}, ${A}`)).common).toEqual([[1, 0]]);
    expect(commonIn(files(B), files(`${A}, ${B}`)).common).toEqual([[0, 1]]);
  });

  it.each(["mode: audit", "on_fault: allow", "scope: { uid: [0] }", "name: other"])(
    "is only the policy if an attachment has %s",
    (key) => {
      const { hooks, common } = commonIn(files(A), files(`{ policy: a.js, ${key} }`));
      expect([hooks.new, common]).toEqual([[0], []]);
    },
  );

  it("is nothing of a policy that has another text or other limits, or of other keyrings and maps", () => {
    const other = { "a.js": "export const bpf_prog_load = () => -2;\n" };
    const map = "maps: { list: { writable: { entries: 1, bytes: 1KiB } } }";
    for (const its of [files(A, "", other), files("{ policy: a.js, limits: { steps: 10000 } }"), files(A, map)])
      expect(commonIn(files(A), its)).toEqual({ hooks: { old: [0], new: [1] }, common: [] });
  });
});
