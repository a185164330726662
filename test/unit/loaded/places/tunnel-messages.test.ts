import { describe, expect, it } from "vitest";
import { actionRequest, actionsOf } from "../../../../src/loaded/places/action-messages.js";
import { keptMessages, routeMessages } from "../../../../src/loaded/places/route-messages.js";
import { classPlaces, filterPlaces } from "../../../../src/loaded/places/tc-messages.js";
import { hasPrograms, tunnelPrograms } from "../../../../src/loaded/places/tunnel-messages.js";
import { attribute, message, tcMessage } from "../../../support/netlink.js";

const word = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const text = (value: string) => Buffer.from(`${value}\0`);
const first = (bytes: Uint8Array) => routeMessages(bytes).messages[0]!;
const of = (...attributes: readonly Uint8Array[]) => Buffer.concat(attributes);

/** A message of rtnetlink about a route: struct nlmsghdr, struct rtmsg, then attributes. */
function route(family: number, bits: number, attributes: readonly Uint8Array[], type = 24): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(28), ...attributes]);
  bytes.writeUInt32LE(bytes.byteLength, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.set([family, bits], 16);
  return bytes;
}

const TO_BPF = [attribute(21, Buffer.of(6, 0)), attribute(0x8000 | 22, attribute(3, attribute(2, text("out.o:[x]"))))];

describe("the messages of rtnetlink about routes", () => {
  const programs = (bytes: Uint8Array) => tunnelPrograms(first(bytes));

  it("have the programs of tunnels of kind bpf, by the names that were given to them", () => {
    const found = { type: "lwt_xmit", name: "out.o:[x]", program: null };
    expect(programs(route(2, 16, [attribute(1, Buffer.of(10, 9, 0, 0)), ...TO_BPF]))).toEqual([
      { ...found, destination: "10.9.0.0/16" },
    ]);
    expect(programs(route(2, 0, TO_BPF))).toEqual([{ ...found, destination: "default" }]);
    const both = attribute(22, of(attribute(1, of()), attribute(2, attribute(2, text("b")))));
    expect(programs(route(2, 0, [attribute(21, Buffer.of(6, 0)), both])).map(({ type, name }) => [type, name])).toEqual(
      [
        ["lwt_in", null],
        ["lwt_out", "b"],
      ],
    );
  });

  it("have the programs of next hops", () => {
    const hop = of(Buffer.of(0, 0, 0, 0, 2, 0, 0, 0), ...TO_BPF);
    hop.writeUInt16LE(hop.byteLength, 0);
    expect(programs(route(2, 0, [attribute(9, of(hop, hop))]))).toHaveLength(2);
    // a length that does not fit ends the list
    const long = Buffer.from(hop);
    long.writeUInt16LE(4000, 0);
    expect(programs(route(2, 0, [attribute(9, of(long, hop))]))).toEqual([]);
  });

  it("have the program of seg6local by its id", () => {
    const address = Buffer.alloc(16);
    address.set([0xfc, 0, 0, 9], 0);
    address[15] = 1;
    const segment = attribute(22, attribute(8, of(attribute(1, word(37)), attribute(2, text("s")))));
    const bytes = route(10, 128, [attribute(1, address), attribute(21, Buffer.of(7, 0)), segment]);
    expect(programs(bytes)).toEqual([{ type: "lwt_seg6local", name: "s", program: 37, destination: "fc00:9::1/128" }]);
  });

  it("keep what has programs, and the end of the answer", () => {
    const plain = route(2, 24, [attribute(1, Buffer.of(10, 0, 0, 0))]);
    const other = route(2, 24, [attribute(21, Buffer.of(1, 0)), attribute(22, of())]);
    const done = message(3, 0, []);
    const kept = keptMessages(of(plain, route(2, 0, TO_BPF), other, done), hasPrograms);
    expect(Buffer.from(kept)).toEqual(of(route(2, 0, TO_BPF), done));
    expect(keptMessages(of(plain, plain), hasPrograms).byteLength).toBe(0);
    expect(tunnelPrograms(first(message(16, 2, TO_BPF)))).toEqual([]);
  });
});

describe("the messages of rtnetlink about tc actions", () => {
  const action = (kind: string, ...options: readonly Uint8Array[]) =>
    of(attribute(1, text(kind)), attribute(0x8000 | 2, of(...options)));
  const answer = (...actions: readonly Uint8Array[]) => {
    const table = attribute(1, of(...actions.map((one, at) => attribute(at, one))));
    const bytes = of(Buffer.alloc(20), table);
    bytes.writeUInt32LE(bytes.byteLength, 0);
    bytes.writeUInt16LE(50, 4);
    return first(bytes);
  };

  it("have the index and the program of each action of kind bpf", () => {
    const parms = attribute(2, of(word(7), Buffer.alloc(16)));
    expect(actionsOf(answer(action("bpf", parms, attribute(9, word(37))), action("bpf", parms)))).toEqual([
      { index: 7, program: 37 },
    ]);
    // the numbers of attributes are those of the kind
    expect(actionsOf(answer(action("police", parms, attribute(9, word(37)))))).toEqual([]);
    expect(actionsOf(first(message(16, 2, [])))).toEqual([]);
  });

  it("are asked for by their kind", () => {
    expect(Buffer.from(actionRequest()).toString("hex")).toBe("00000000100001800c0001800800010062706600");
  });
});

it("has filters of classes where the qdisc has some", () => {
  const qdisc = first(tcMessage(36, 2, 0x10000, 0xffffffff, [attribute(1, text("htb"))]));
  expect(filterPlaces(qdisc)).toEqual([{ ifindex: 2, parent: 0x10000, hasClasses: true }]);
  expect(classPlaces(first(tcMessage(40, 2, 0x10010, 0x10000, [])))).toEqual([{ ifindex: 2, parent: 0x10010 }]);
  expect(classPlaces(first(tcMessage(36, 2, 0x10010, 0x10000, [])))).toEqual([]);
});
