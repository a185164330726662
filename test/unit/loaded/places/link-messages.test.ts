import { describe, expect, it } from "vitest";
import { linkMessages } from "../../../../src/loaded/places/link-messages.js";
import { netnsNumber } from "../../../../src/loaded/places/network-namespaces.js";
import { attribute, message } from "../../../support/netlink.js";

const NAME = attribute(3, Buffer.from("eth0\0"));
const word = (value: number) => Buffer.from(Uint32Array.of(value).buffer);

describe("the messages of rtnetlink about interfaces", () => {
  it("have the number, the name and the XDP programs of each interface", () => {
    const xdp = attribute(
      0x8000 | 43,
      Buffer.concat([attribute(2, Buffer.of(2)), attribute(4, word(37)), attribute(6, word(37))]),
    );
    const bytes = Buffer.concat([message(16, 2, [NAME, xdp]), message(16, 3, []), message(3, 0, [])]);
    expect(linkMessages(bytes)).toEqual({
      interfaces: [
        { ifindex: 2, name: "eth0", xdp: [37] },
        { ifindex: 3, name: null, xdp: [] },
      ],
      ...{ done: true, error: 0 },
    });
  });

  it("go on in the next part, or end with an error", () => {
    expect(linkMessages(message(16, 2, [NAME]))).toMatchObject({ done: false, error: 0 });
    const error = message(2, 0, []);
    error.writeInt32LE(-1, 16);
    expect(linkMessages(error)).toEqual({ interfaces: [], done: true, error: -1 });
  });

  it("end at a length that does not fit", () => {
    const long = message(16, 2, [NAME]);
    long.writeUInt32LE(4000, 0);
    expect(linkMessages(long).interfaces).toEqual([]);
    const short = message(16, 2, [NAME]);
    short.writeUInt32LE(3, 0);
    expect(linkMessages(short).interfaces).toEqual([]);
    const inner = message(16, 2, [NAME, attribute(43, Buffer.of(255, 255, 4, 0, 1, 0, 0, 0))]);
    expect(linkMessages(inner).interfaces).toEqual([{ ifindex: 2, name: "eth0", xdp: [] }]);
  });
});

it("reads the number of a network namespace from a link or the root of a mount", () => {
  expect(netnsNumber("net:[4026531840]")).toBe(4026531840);
  for (const other of ["mnt:[4026531840]", "net:[]", "/net:[1]", "net:[1] (deleted)"])
    expect(netnsNumber(other)).toBeNull();
});
