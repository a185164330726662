import type { TcFilter } from "../model/places.js";
import { attributeOf, attributes, numberIn, numberOf, type RouteMessage, textIn } from "./route-messages.js";

/** Message types of linux/rtnetlink.h. */
export const RTM_GETQDISC = 38;
export const RTM_GETTCLASS = 42;
export const RTM_GETTFILTER = 46;
const [RTM_NEWQDISC, RTM_NEWTCLASS, RTM_NEWTFILTER, RTM_DELTFILTER] = [36, 40, 44, 45];

/** struct tcmsg of linux/rtnetlink.h: ifindex 4 · handle 8 · parent 12; 20 bytes. */
const TC_BODY = 20;
const [IFINDEX, HANDLE, PARENT, INFO] = [4, 8, 12, 16];
/** Attributes of linux/rtnetlink.h and linux/pkt_cls.h. */
const [TCA_KIND, TCA_OPTIONS, TCA_CHAIN, TCA_BPF_ID] = [1, 2, 11, 11];
/** TCM_IFINDEX_MAGIC_BLOCK: the parent is then the number of a block that interfaces share. */
const OF_BLOCK = 0xffffffff;
/** The places of filters of a clsact qdisc (linux/pkt_sched.h): TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS or _EGRESS). */
const INGRESS = 0xfffffff2;
const EGRESS = 0xfffffff3;
/** The handle of an ingress qdisc. */
const OLD_INGRESS = 0xffff0000;

/** Kinds of qdiscs whose classes have filters of their own (tcf_block of struct Qdisc_class_ops in net/sched). */
const WITH_CLASSES: ReadonlySet<string> = new Set(["htb", "hfsc", "cbq", "atm"]);

/** Where an interface can have tc filters. */
export interface FilterPlace {
  readonly ifindex: number;
  readonly parent: number;
  /** Whether classes of the interface can have filters too. */
  readonly hasClasses?: true;
}

/** The places of filters of a qdisc; none if the message is about something else. */
export function filterPlaces({ type, body }: RouteMessage): readonly FilterPlace[] {
  if (type !== RTM_NEWQDISC || body.byteLength < TC_BODY) return [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [ifindex, handle] = [view.getInt32(IFINDEX, true), view.getUint32(HANDLE, true)];
  let kind = "";
  for (const [attribute, value] of attributes(body.subarray(TC_BODY))) if (attribute === TCA_KIND) kind = textIn(value);
  if (kind === "clsact") return [INGRESS, EGRESS].map((parent) => ({ ifindex, parent }));
  // the default qdisc of an interface has no handle, and no filters
  if (handle === 0) return [];
  return [WITH_CLASSES.has(kind) ? { ifindex, parent: handle, hasClasses: true } : { ifindex, parent: handle }];
}

/** The body of a request for the classes of an interface. */
export function classRequest(ifindex: number): Uint8Array {
  return filterRequest({ ifindex, parent: 0 });
}

/** The place of filters of a class; none if the message is about something else. */
export function classPlaces({ type, body }: RouteMessage): readonly FilterPlace[] {
  if (type !== RTM_NEWTCLASS || body.byteLength < TC_BODY) return [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return [{ ifindex: view.getInt32(IFINDEX, true), parent: view.getUint32(HANDLE, true) }];
}

/** The body of a request for the filters of a place. */
export function filterRequest({ ifindex, parent }: FilterPlace): Uint8Array {
  const body = new DataView(new ArrayBuffer(TC_BODY));
  body.setInt32(IFINDEX, ifindex, true);
  body.setUint32(PARENT, parent, true);
  return new Uint8Array(body.buffer);
}

/** The body of a request for all qdiscs. */
export function qdiscRequest(): Uint8Array {
  return new Uint8Array(TC_BODY);
}

/** A filter that has a program. */
export interface ProgramFilter {
  /** The id of the program. */
  readonly program: number;
  readonly filter: TcFilter;
}

/** A filter of kind bpf, listed for this place; null if the message is about something else. */
export function programFilter({ type, body }: RouteMessage, { ifindex, parent }: FilterPlace): ProgramFilter | null {
  if (type !== RTM_NEWTFILTER || body.byteLength < TC_BODY) return null;
  let kind = "";
  let [program, chain] = [0, 0];
  for (const [attribute, value] of attributes(body.subarray(TC_BODY))) {
    if (attribute === TCA_KIND) kind = textIn(value);
    if (attribute === TCA_CHAIN) chain = numberIn(value) ?? 0;
    if (attribute !== TCA_OPTIONS) continue;
    for (const [inner, id] of attributes(value)) if (inner === TCA_BPF_ID) program = numberIn(id) ?? 0;
  }
  if (kind !== "bpf" || program === 0) return null;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const block = view.getUint32(IFINDEX, true) === OF_BLOCK ? view.getUint32(PARENT, true) : null;
  const [handle, info] = [view.getUint32(HANDLE, true), view.getUint32(INFO, true)];
  return { program, filter: { listed: { ifindex, parent }, block, info, chain, handle } };
}

/** The type and the body of a request that removes one filter. */
export function filterRemoval({ listed, block, info, chain, handle }: TcFilter): RouteMessage {
  const body = Buffer.alloc(TC_BODY);
  body.writeUInt32LE(block === null ? listed.ifindex : OF_BLOCK, IFINDEX);
  body.writeUInt32LE(handle, HANDLE);
  body.writeUInt32LE(block ?? listed.parent, PARENT);
  body.writeUInt32LE(info, INFO);
  const kind = attributeOf(TCA_KIND, Buffer.from("bpf\0"));
  return { type: RTM_DELTFILTER, body: Buffer.concat([body, kind, attributeOf(TCA_CHAIN, numberOf(chain))]) };
}

/** What a place is called: `tc_ingress` and `tc_egress`, or `tc` for a qdisc that is neither. */
export function placeName(parent: number): string {
  if (parent === INGRESS || parent === OLD_INGRESS) return "tc_ingress";
  return parent === EGRESS ? "tc_egress" : "tc";
}
