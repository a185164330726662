import { expect, it } from "vitest";
import { actionRemoval, actionsOf } from "../../../../src/loaded/places/action-messages.js";
import { xdpMode, xdpRemoval } from "../../../../src/loaded/places/link-messages.js";
import { attributes, routeMessages } from "../../../../src/loaded/places/route-messages.js";
import { filterRemoval, programFilter } from "../../../../src/loaded/places/tc-messages.js";
import { ROUTE_BODY, routeRemoval } from "../../../../src/loaded/places/tunnel-messages.js";
import { attribute, message, tcMessage } from "../../../support/netlink.js";

const word = (value: number) => Buffer.from(Int32Array.of(value).buffer);
const first = (bytes: Uint8Array) => routeMessages(bytes).messages[0]!;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const inside = (bytes: Uint8Array) => [...attributes(bytes)].map(([type, value]) => [type, hex(value)]);

it("take an XDP program away only if it is the expected one, in its mode", () => {
  const xdp = attribute(
    43,
    Buffer.concat([attribute(2, Buffer.of(2)), attribute(6, word(37)), attribute(4, word(37))]),
  );
  const link = first(message(16, 2, [attribute(3, Buffer.from("eth0\0")), xdp]));
  expect([xdpMode(link, 2, 37), xdpMode(link, 3, 37), xdpMode(link, 2, 38)]).toEqual([2, null, null]);
  const { type, body } = xdpRemoval(2, 2, 9);
  const [[, options] = []] = [...attributes(body.subarray(16))];
  // RTM_SETLINK; IFLA_XDP_FD -1, XDP_FLAGS_REPLACE and SKB_MODE, IFLA_XDP_EXPECTED_FD
  expect([type, hex(body.subarray(4, 8)), inside(options!)]).toEqual([
    ...[19, "02000000"],
    [
      [1, "ffffffff"],
      [3, "12000000"],
      [8, "09000000"],
    ],
  ]);
});

it("remove one filter of tc, by all that names it", () => {
  const filter = (ifindex: number, parent: number) => {
    const bytes = tcMessage(44, ifindex, 1, parent, [
      attribute(1, Buffer.from("bpf\0")),
      attribute(11, word(5)),
      attribute(2, attribute(11, word(37))),
    ]);
    bytes.writeUInt32LE(0xc0000003, 32);
    return programFilter(first(bytes), { ifindex: 2, parent: 0xfffffff2 })!.filter;
  };
  const own = filterRemoval(filter(2, 0xfffffff2));
  expect([own.type, hex(own.body.subarray(4, 20))]).toEqual([45, "0200000001000000f2ffffff030000c0"]);
  expect(inside(own.body.subarray(20))).toEqual([
    [1, hex(Buffer.from("bpf\0"))],
    [11, "05000000"],
  ]);
  // a shared block has a number in place of the interface
  expect(hex(filterRemoval(filter(-1, 22)).body.subarray(4, 20))).toBe("ffffffff0100000016000000030000c0");
});

it("remove one action of tc, by its index", () => {
  const { type, body } = actionRemoval(7);
  const [[, table] = []] = [...attributes(body.subarray(4))];
  const [[, action] = []] = [...attributes(table!)];
  expect([type, inside(action!)]).toEqual([
    49,
    [
      [1, hex(Buffer.from("bpf\0"))],
      [3, "07000000"],
    ],
  ]);
  expect(actionsOf({ type, body })).toEqual([]);
});

it("remove a route by what names it, without its tunnel and next hops", () => {
  const parts = [
    ...[
      attribute(1, Buffer.of(10, 9, 0, 0)),
      attribute(4, word(3)),
      attribute(15, word(254)),
      attribute(6, word(1024)),
    ],
    ...[attribute(9, Buffer.alloc(8)), attribute(21, Buffer.of(6, 0)), attribute(0x8000 | 22, Buffer.alloc(8))],
    attribute(12, Buffer.alloc(32)),
  ];
  const head = Buffer.of(2, 16, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0);
  const { type, body } = routeRemoval({ type: 24, body: Buffer.concat([head, ...parts]) });
  expect([type, hex(body.subarray(0, ROUTE_BODY))]).toEqual([25, hex(head)]);
  expect(inside(body.subarray(ROUTE_BODY)).map(([attributeType]) => attributeType)).toEqual([1, 4, 15, 6]);
});
