import { describe, expect, it } from "vitest";
import { encodeList, parseList } from "../../../src/seal/list.js";
import { isListed } from "../../../src/seal/sealing.js";

const ZERO = "00".repeat(32);
const DIGEST = "8f0c52ab33b8a1c1".padEnd(64, "7");
const LIST = parseList(
  encodeList(
    [
      {
        digest: DIGEST,
        progType: 1,
        expectedAttachType: 0,
        attachBtfId: 0,
        progFlags: 0,
        gplCompatible: true,
        maps: { references: 0, digest: ZERO, maps: [] },
      },
    ],
    { generation: 1n, kernelBtf: ZERO, configuration: ZERO, release: "" },
  ),
);

describe("a program that is loaded already", () => {
  it.each([
    ["type and tag of an entry", { type: "socket_filter", tag: "8f0c52ab33b8a1c1" }, true],
    ["the tag of an entry of another type", { type: "cgroup_sysctl", tag: "8f0c52ab33b8a1c1" }, false],
    ["another tag", { type: "socket_filter", tag: "8f0c52ab33b8a1c2" }, false],
  ])("is listed or not: %s", (_, program, listed) => {
    expect(isListed(program, LIST)).toBe(listed);
  });

  it("is not listed without a list", () => {
    expect(isListed({ type: "socket_filter", tag: "8f0c52ab33b8a1c1" }, null)).toBe(false);
  });
});
