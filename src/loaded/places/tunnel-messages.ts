import { SocketAddress } from "node:net";
import { attributeOf, attributes, numberIn, type RouteMessage, textIn } from "./route-messages.js";

/** Message types of linux/rtnetlink.h. */
export const RTM_GETROUTE = 26;
const RTM_NEWROUTE = 24;
/** struct rtmsg of linux/rtnetlink.h: family u8 0 · destination's length in bits u8 1; 12 bytes. */
export const ROUTE_BODY = 12;
/** sizeof(struct rtnexthop). */
const NEXT_HOP = 8;
/** Attributes of linux/rtnetlink.h. */
const [RTA_DST, RTA_MULTIPATH, RTA_ENCAP_TYPE, RTA_ENCAP] = [1, 9, 21, 22];
/** enum lwtunnel_encap_types of linux/lwtunnel.h. */
const [OF_BPF, OF_SEG6LOCAL] = [6, 7];
/** Attributes of linux/lwtunnel.h (LWT_BPF_IN and so on) by the program types, and of a program in them. */
const HOOKS: ReadonlyMap<number, string> = new Map([
  [1, "lwt_in"],
  [2, "lwt_out"],
  [3, "lwt_xmit"],
]);
const LWT_BPF_PROG_NAME = 2;
/** Attributes of linux/seg6_local.h. */
const [SEG6_LOCAL_BPF, SEG6_LOCAL_BPF_PROG, SEG6_LOCAL_BPF_PROG_NAME] = [8, 1, 2];

/** The types of programs that routes have. */
export const TUNNEL_TYPES: ReadonlySet<string> = new Set([...HOOKS.values(), "lwt_seg6local"]);

/** A program of a route. */
export interface TunnelProgram {
  /** Its type. */
  readonly type: string;
  readonly destination: string;
  readonly name: string | null;
  /** Its id, which only seg6local tells; null otherwise. */
  readonly program: number | null;
}

/** Whether a message is about a route with programs. */
export function hasPrograms(message: RouteMessage): boolean {
  return tunnelPrograms(message).length > 0;
}

/** The programs of a route; none if the message is about something else. */
export function tunnelPrograms(message: RouteMessage): readonly TunnelProgram[] {
  const destination = destinationOf(message);
  return tunnelsOf(message).flatMap(({ kind, value }) =>
    (kind === OF_BPF ? bpfPrograms(value) : segmentPrograms(value)).map((one) => ({ ...one, destination })),
  );
}

const RTM_DELROUTE = 25;
/**
 * The attributes by which the kernel finds a route: RTA_DST, SRC, OIF, GATEWAY, PRIORITY, PREFSRC and TABLE. It takes a
 * tunnel only with a descriptor of its program, which no list has.
 */
const NAMING: ReadonlySet<number> = new Set([RTA_DST, 2, 4, 5, 6, 7, 15]);

/** A request that removes the route of a message. */
export function routeRemoval({ body }: RouteMessage): RouteMessage {
  const named: Uint8Array[] = [body.subarray(0, ROUTE_BODY)];
  for (const [attribute, value] of attributes(body.subarray(ROUTE_BODY)))
    if (NAMING.has(attribute)) named.push(attributeOf(attribute, value));
  return { type: RTM_DELROUTE, body: Buffer.concat(named) };
}

interface Tunnel {
  readonly kind: number;
  readonly value: Uint8Array;
}

/** The tunnels of a route and of its next hops. */
function tunnelsOf({ type, body }: RouteMessage): readonly Tunnel[] {
  if (type !== RTM_NEWROUTE || body.byteLength < ROUTE_BODY) return [];
  const own = body.subarray(ROUTE_BODY);
  const hops: Uint8Array[] = [];
  for (const [attribute, value] of attributes(own)) if (attribute === RTA_MULTIPATH) hops.push(...hopsIn(value));
  return [own, ...hops].flatMap(tunnelIn);
}

function tunnelIn(bytes: Uint8Array): readonly Tunnel[] {
  let kind = 0;
  let tunnel: Uint8Array | null = null;
  for (const [attribute, value] of attributes(bytes)) {
    // an attribute of 16 bits
    if (attribute === RTA_ENCAP_TYPE && value.byteLength >= 2) kind = value[0]! | (value[1]! << 8);
    if (attribute === RTA_ENCAP) tunnel = value;
  }
  return tunnel !== null && (kind === OF_BPF || kind === OF_SEG6LOCAL) ? [{ kind, value: tunnel }] : [];
}

/** The attributes of each next hop: struct rtnexthop (length u16 0), then attributes, aligned to 4 bytes. */
function hopsIn(bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hops: Uint8Array[] = [];
  for (let at = 0; at + NEXT_HOP <= bytes.byteLength; ) {
    const length = view.getUint16(at, true);
    if (length < NEXT_HOP || at + length > bytes.byteLength) break;
    hops.push(bytes.subarray(at + NEXT_HOP, at + length));
    at += (length + 3) & ~3;
  }
  return hops;
}

type Named = Omit<TunnelProgram, "destination">;

function bpfPrograms(tunnel: Uint8Array): readonly Named[] {
  const found: Named[] = [];
  for (const [attribute, value] of attributes(tunnel)) {
    const type = HOOKS.get(attribute);
    if (type !== undefined) found.push({ type, name: nameIn(value, LWT_BPF_PROG_NAME), program: null });
  }
  return found;
}

function segmentPrograms(tunnel: Uint8Array): readonly Named[] {
  const found: Named[] = [];
  for (const [attribute, value] of attributes(tunnel)) {
    if (attribute !== SEG6_LOCAL_BPF) continue;
    let program: number | null = null;
    for (const [inner, id] of attributes(value)) if (inner === SEG6_LOCAL_BPF_PROG) program = numberIn(id);
    found.push({ type: "lwt_seg6local", name: nameIn(value, SEG6_LOCAL_BPF_PROG_NAME), program: program || null });
  }
  return found;
}

function nameIn(bytes: Uint8Array, of: number): string | null {
  for (const [attribute, value] of attributes(bytes)) if (attribute === of) return textIn(value) || null;
  return null;
}

/** `10.1.0.0/16`, or `default`. */
function destinationOf({ body }: RouteMessage): string {
  if (body.byteLength < ROUTE_BODY) return "unknown";
  const [family, bits] = [body[0]!, body[1]!];
  for (const [attribute, value] of attributes(body.subarray(ROUTE_BODY)))
    if (attribute === RTA_DST) return `${addressText(value, family)}/${bits}`;
  return bits === 0 ? "default" : "unknown";
}

/** AF_INET and AF_INET6 of linux/socket.h. */
const [INET, INET6] = [2, 10];

function addressText(bytes: Uint8Array, family: number): string {
  if (family === INET && bytes.byteLength === 4) return [...bytes].join(".");
  if (family !== INET6 || bytes.byteLength !== 16) return Buffer.from(bytes).toString("hex");
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at]! << 8) | bytes[2 * at + 1]!).toString(16));
  return new SocketAddress({ address: groups.join(":"), family: "ipv6" }).address;
}
