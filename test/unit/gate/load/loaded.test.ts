import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { loaded } from "../../../../src/gate/load/loaded.js";
import { program } from "../../../support/site.js";

describe("a loaded program", () => {
  const judged = program("drop-telnet");
  const as = (tag: string) =>
    loaded(judged, {
      type: 6,
      id: 9,
      tag,
      jitedLength: 80,
      xlatedLength: 64,
      verifiedInsns: 7,
      mapIds: [4, 5],
      name: "drop",
    });
  const sha1 = createHash("sha1").update(judged.insns).digest("hex").slice(0, 16);

  it("has what the kernel reports beside what was judged", () => {
    expect(judged).toMatchObject({ loaded: null, rewritten: false });
    const { loaded: made, rewritten, ...rest } = as(judged.tag);
    const { loaded: _, rewritten: __, ...before } = judged;
    expect(rest).toEqual(before);
    expect(made).toEqual({ tag: judged.tag, verified_insns: 7, xlated_size: 64, jited_size: 80, map_ids: [4, 5] });
    expect(rewritten).toBe(false);
  });

  it("is rewritten where its tag is neither of today's kernels nor of older ones", () => {
    expect(as(sha1).rewritten).toBe(false);
    expect(as("0123456789abcdef").rewritten).toBe(true);
  });
});
