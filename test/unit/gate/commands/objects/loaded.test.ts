import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { loaded } from "../../../../../src/gate/commands/objects/loaded.js";
import { program } from "../../../../support/site.js";

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

  it("has the facts that the kernel reports besides those that were decided on", () => {
    expect(judged).toMatchObject({ loaded: null, rewritten: false });
    const { loaded: made, rewritten, ...rest } = as(judged.tag);
    const { loaded: _, rewritten: __, ...before } = judged;
    expect(rest).toEqual(before);
    expect(made).toEqual({ tag: judged.tag, verified_insns: 7, xlated_size: 64, jited_size: 80, map_ids: [4, 5] });
    expect(rewritten).toBe(false);
  });

  it("is not rewritten if its tag covers the fds of BTF objects as the gate passed them", () => {
    const passed = new Uint8Array(judged.insns);
    passed[4] = (passed[4]! + 1) & 0xff;
    const tag = createHash("sha256").update(passed).digest("hex").slice(0, 16);
    const info = { type: 6, id: 9, tag, jitedLength: 1, xlatedLength: 1, verifiedInsns: 1, mapIds: [], name: "drop" };
    expect(loaded({ ...judged }, info).rewritten).toBe(true);
    const made = loaded({ ...judged }, info, passed);
    expect(made.rewritten).toBe(false);
    // when it is fetched later
    expect(loaded(made, { ...info, verifiedInsns: 2 }).rewritten).toBe(false);
  });

  it("counts as rewritten if its tag is not one that present or older kernels compute", () => {
    expect(as(sha1).rewritten).toBe(false);
    expect(as("0123456789abcdef").rewritten).toBe(true);
  });
});
