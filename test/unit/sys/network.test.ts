import { beforeEach, describe, expect, it } from "vitest";
import { routeDump } from "../../../src/sys/network.js";

/** RTM_GETLINK of linux/rtnetlink.h, and the answer to it, RTM_NEWLINK. Anyone may ask for it. */
const [RTM_GETLINK, RTM_NEWLINK] = [18, 16];
/** struct ifinfomsg. */
const LINK_BODY = 16;
const [NLMSG_ERROR, NLMSG_DONE] = [2, 3];

/** Types of the messages of an answer, in order. */
function typesOf(parts: readonly Uint8Array[]): number[] {
  const types: number[] = [];
  for (const part of parts) {
    const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
    for (let at = 0; at < part.byteLength; at += (view.getUint32(at, true) + 3) & ~3)
      types.push(view.getUint16(at + 4, true));
  }
  return types;
}

beforeEach((context) => {
  if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
});

describe("a question to rtnetlink", () => {
  it("is answered by all interfaces, of which the loopback is one, and an end", () => {
    const dump = routeDump(RTM_GETLINK, new Uint8Array(LINK_BODY));
    expect(dump).toBeInstanceOf(Array);
    const types = typesOf(dump as readonly Uint8Array[]);
    expect(types.length).toBeGreaterThanOrEqual(2);
    expect(types.at(-1)).toBe(NLMSG_DONE);
    expect(new Set(types.slice(0, -1))).toEqual(new Set([RTM_NEWLINK]));
  });

  it("of no known type is answered by an error, and not waited for", () => {
    const dump = routeDump(0xffff, new Uint8Array(LINK_BODY));
    expect(typesOf(dump as readonly Uint8Array[])).toEqual([NLMSG_ERROR]);
  });
});
