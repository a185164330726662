import { describe, expect, it } from "vitest";
import { interfaceOf } from "../../../../src/loaded/places/link-messages.js";
import { netnsNumber } from "../../../../src/loaded/places/network-namespaces.js";
import { routeMessages } from "../../../../src/loaded/places/route-messages.js";
import { filterPlaces, filterRequest, placeName, programFilter } from "../../../../src/loaded/places/tc-messages.js";
import { attribute, message, tcMessage } from "../../../support/netlink.js";

const NAME = attribute(3, Buffer.from("eth0\0"));
const word = (value: number) => Buffer.from(Uint32Array.of(value).buffer);

/** The interfaces of an answer, and how it ends. */
function linkMessages(bytes: Uint8Array) {
  const { messages, done, error } = routeMessages(bytes);
  return { interfaces: messages.map(interfaceOf), done, error };
}

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

describe("the messages of rtnetlink about tc", () => {
  const first = (bytes: Uint8Array) => routeMessages(bytes).messages[0]!;
  const kind = (name: string) => attribute(1, Buffer.from(`${name}\0`));

  it("have the places of filters: two of clsact, the handle of another qdisc, none of a default qdisc", () => {
    const places = (name: string, handle: number) =>
      filterPlaces(first(tcMessage(36, 2, handle, 0xfffffff1, [kind(name)])));
    expect(places("clsact", 0xffff0000).map(({ parent }) => placeName(parent))).toEqual(["tc_ingress", "tc_egress"]);
    expect(places("ingress", 0xffff0000).map(({ parent }) => placeName(parent))).toEqual(["tc_ingress"]);
    expect(places("htb", 0x10000).map(({ parent }) => placeName(parent))).toEqual(["tc"]);
    expect(places("pfifo_fast", 0)).toEqual([]);
    expect(filterPlaces(first(tcMessage(44, 2, 1, 1, [kind("clsact")])))).toEqual([]);
    expect([...filterRequest({ ifindex: 2, parent: 0xfffffff3 })]).toEqual([
      ...[0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0xf3, 0xff, 0xff, 0xff, 0, 0, 0, 0],
    ]);
  });

  it("have the program of a filter of kind bpf", () => {
    const LISTED = { ifindex: 2, parent: 0xfffffff2 };
    const options = attribute(0x8000 | 2, attribute(11, word(37)));
    expect(programFilter(first(tcMessage(44, 2, 1, 0xfffffff2, [kind("bpf"), options])), LISTED)).toEqual({
      program: 37,
      filter: { listed: LISTED, block: null, info: 0, chain: 0, handle: 1 },
    });
    // the numbers of attributes are those of the kind
    expect(programFilter(first(tcMessage(44, 2, 1, 0xfffffff2, [kind("flower"), options])), LISTED)).toBeNull();
    expect(programFilter(first(tcMessage(44, 2, 1, 0xfffffff2, [kind("bpf")])), LISTED)).toBeNull();
    expect(programFilter(first(message(16, 2, [kind("bpf"), options])), LISTED)).toBeNull();
  });
});
