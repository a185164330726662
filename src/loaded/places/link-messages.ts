import { attributeOf, attributes, numberIn, numberOf, type RouteMessage, textIn } from "./route-messages.js";

/** A network interface, as rtnetlink reports it. */
export interface InterfaceReport {
  readonly ifindex: number;
  readonly name: string | null;
  /** The XDP programs that are attached to it, by id. */
  readonly xdp: readonly number[];
}

/** Message types of linux/rtnetlink.h. */
export const RTM_GETLINK = 18;
const RTM_NEWLINK = 16;
/** sizeof(struct ifinfomsg), whose index is at byte 4. */
export const LINK_BODY = 16;
/** Attributes of linux/if_link.h. */
const [IFLA_IFNAME, IFLA_XDP] = [3, 43];
/** IFLA_XDP_PROG_ID, and those of each mode: DRV, SKB, HW. */
const XDP_PROGRAMS: ReadonlySet<number> = new Set([4, 5, 6, 7]);

/** By IFLA_XDP_*_PROG_ID, the flag of linux/if_link.h that a request names the mode by. */
const XDP_MODES: ReadonlyMap<number, number> = new Map([
  [5, 1 << 2],
  [6, 1 << 1],
  [7, 1 << 3],
]);

/** The flag of the mode in which an interface has an XDP program; null if it has not, or is not that of the message. */
export function xdpMode({ type, body }: RouteMessage, interfaceIndex: number, program: number): number | null {
  if (type !== RTM_NEWLINK || body.byteLength < LINK_BODY) return null;
  if (new DataView(body.buffer, body.byteOffset).getInt32(4, true) !== interfaceIndex) return null;
  for (const [attribute, value] of attributes(body.subarray(LINK_BODY)))
    for (const [inner, id] of attribute === IFLA_XDP ? attributes(value) : [])
      if (XDP_MODES.has(inner) && numberIn(id) === program) return XDP_MODES.get(inner) ?? null;
  return null;
}

const RTM_SETLINK = 19;
const [IFLA_XDP_FD, IFLA_XDP_FLAGS, IFLA_XDP_EXPECTED_FD] = [1, 3, 8];
/** XDP_FLAGS_REPLACE of linux/if_link.h: only if the program is the expected one. */
const REPLACE = 1 << 4;

/** A request that takes an XDP program, of which `fd` is a descriptor, from an interface, and no other one. */
export function xdpRemoval(interfaceIndex: number, mode: number, fd: number): RouteMessage {
  const body = Buffer.alloc(LINK_BODY);
  body.writeInt32LE(interfaceIndex, 4);
  const parts = [
    attributeOf(IFLA_XDP_FD, numberOf(-1)),
    attributeOf(IFLA_XDP_FLAGS, numberOf(mode | REPLACE)),
    attributeOf(IFLA_XDP_EXPECTED_FD, numberOf(fd)),
  ];
  return { type: RTM_SETLINK, body: Buffer.concat([body, attributeOf(IFLA_XDP | NESTED, Buffer.concat(parts))]) };
}

/** NLA_F_NESTED of linux/netlink.h. */
const NESTED = 0x8000;

/** The interface of a message; null if it is about something else. */
export function interfaceOf({ type, body }: RouteMessage): InterfaceReport | null {
  if (type !== RTM_NEWLINK || body.byteLength < LINK_BODY) return null;
  const ifindex = new DataView(body.buffer, body.byteOffset).getInt32(4, true);
  let name: string | null = null;
  const xdp = new Set<number>();
  for (const [attribute, value] of attributes(body.subarray(LINK_BODY))) {
    if (attribute === IFLA_IFNAME) name = textIn(value);
    if (attribute !== IFLA_XDP) continue;
    for (const [inner, id] of attributes(value)) if (XDP_PROGRAMS.has(inner)) xdp.add(numberIn(id) ?? 0);
  }
  xdp.delete(0);
  return { ifindex, name, xdp: [...xdp] };
}
