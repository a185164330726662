import { attributes, numberIn, type RouteMessage, textIn } from "./route-messages.js";

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
