/** A network interface, as rtnetlink reports it. */
export interface InterfaceReport {
  readonly ifindex: number;
  readonly name: string | null;
  /** The XDP programs that are attached to it, by id. */
  readonly xdp: readonly number[];
}

export interface LinkMessages {
  readonly interfaces: readonly InterfaceReport[];
  /** Whether these are the last messages of the answer. */
  readonly done: boolean;
  /** The negative errno that ends the answer; 0 if it is no error. */
  readonly error: number;
}

/** Message types of linux/netlink.h and linux/rtnetlink.h. */
const [NLMSG_ERROR, NLMSG_DONE, RTM_NEWLINK] = [2, 3, 16];
/** sizeof(struct nlmsghdr), and that with struct ifinfomsg. */
const HEADER = 16;
const LINK_HEADER = 32;
/** Attributes of linux/if_link.h. */
const [IFLA_IFNAME, IFLA_XDP] = [3, 43];
/** IFLA_XDP_PROG_ID, and those of each mode: DRV, SKB, HW. */
const XDP_PROGRAMS: ReadonlySet<number> = new Set([4, 5, 6, 7]);
const ATTRIBUTE_TYPE = 0x3fff;

/**
 * Reads what one recvmsg of an RTM_GETLINK dump returned: struct nlmsghdr (length 0 · type 4), then struct ifinfomsg
 * (index 4), then attributes (length u16 · type u16 · value), each aligned to 4 bytes. Host byte order. Reading ends at
 * the first length that does not fit.
 */
export function linkMessages(bytes: Uint8Array): LinkMessages {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const interfaces: InterfaceReport[] = [];
  for (let at = 0; at + HEADER <= bytes.byteLength; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > bytes.byteLength) break;
    const type = view.getUint16(at + 4, true);
    if (type === NLMSG_DONE) return { interfaces, done: true, error: 0 };
    if (type === NLMSG_ERROR)
      return { interfaces, done: true, error: length < HEADER + 4 ? 0 : view.getInt32(at + HEADER, true) };
    if (type === RTM_NEWLINK && length >= LINK_HEADER) interfaces.push(interfaceOf(bytes.subarray(at, at + length)));
    at += aligned(length);
  }
  return { interfaces, done: false, error: 0 };
}

function interfaceOf(message: Uint8Array): InterfaceReport {
  const ifindex = new DataView(message.buffer, message.byteOffset).getInt32(HEADER + 4, true);
  let name: string | null = null;
  const xdp = new Set<number>();
  for (const [type, value] of attributes(message.subarray(LINK_HEADER))) {
    if (type === IFLA_IFNAME) name = Buffer.from(value).toString("utf8").replace(/\0.*$/s, "");
    if (type === IFLA_XDP)
      for (const [inner, id] of attributes(value))
        if (XDP_PROGRAMS.has(inner) && id.byteLength === 4)
          xdp.add(new DataView(id.buffer, id.byteOffset).getUint32(0, true));
  }
  xdp.delete(0);
  return { ifindex, name, xdp: [...xdp] };
}

function* attributes(bytes: Uint8Array): Generator<readonly [type: number, value: Uint8Array]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.byteLength; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.byteLength) return;
    yield [view.getUint16(at + 2, true) & ATTRIBUTE_TYPE, bytes.subarray(at + 4, at + length)];
    at += aligned(length);
  }
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
