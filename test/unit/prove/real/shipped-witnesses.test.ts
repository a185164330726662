import { describe, expect, it } from "vitest";
import { CertifiedFolder, SHIPPED } from "../../../support/certificates.js";
import { realPaths } from "../../../support/prove-witness.js";

/** How many paths of each policy are decided in the same way by `check`, and how many cannot be made real. */
const COUNTS: Readonly<Record<string, Readonly<Record<string, readonly [same: number, notMade: number]>>>> = {
  "allow-unsigned-tc.js": { bpf_prog_load: [4, 0] },
  "container-lockdown.js": { bpf_prog_load: [10, 0] },
  "debug-read-only.js": { bpf_prog_load: [6, 0] },
  "hash-allow-list.js": { bpf_prog_load: [22, 0] },
  "no-kernel-read.js": { bpf_prog_load: [2, 0] },
  "no-packet-redirect.js": { bpf_prog_load: [2, 0] },
  "observe.js": { bpf_prog_load: [2, 0] },
  // A file has no signature from bpf_attr
  "optional-signature.js": { bpf_prog_load: [7, 32] },
  // A file has nothing that the kernel reports
  "program-budget.ts": { bpf_prog_load: [18, 26], bpf_prog: [1, 4] },
  "verify-all.js": { bpf_prog_load: [2, 0] },
  "verify-blobs.js": { blob_verify: [54, 0] },
};

/** What a path needs that no file for `check` has. */
const IMPOSSIBLE = /^prog\.(?:kernel_signature|kernel_keyring|loaded) is not null$/;
/** What is not made: maps by the sum of their memory, and objects with fewer instructions than any has. */
const NOT_MADE = /^prog\.maps\.reduce\(|^prog\.insn_cnt ≤ map_lookup|^no object has such a name and such helpers$/;

it("has the counts of all policies that ship", () => {
  expect(Object.keys(COUNTS).sort()).toEqual([...SHIPPED].sort());
});

describe.each(Object.entries(COUNTS))("witnesses of %s", (name, hooks) => {
  it.each(Object.entries(hooks))(
    "at %s are files about which `check` decides the same, or lack what no file has",
    { tags: ["deep"], timeout: 600_000 },
    async (hook, counts) => {
      const folder = CertifiedFolder.shipped(name);
      const found = await realPaths(folder.config.file, hook as "bpf_prog_load");
      folder.remove();
      const with_ = (outcome: string) => found.filter((one) => one.outcome === outcome);
      expect(with_("different").map(({ witness }) => witness)).toEqual([]);
      expect([with_("same").length, with_("not made").length]).toEqual(counts);
      for (const { witness } of with_("not made"))
        expect(witness.lacks.join("\n")).toMatch(new RegExp(`${IMPOSSIBLE.source}|${NOT_MADE.source}`, "m"));
    },
  );
});
