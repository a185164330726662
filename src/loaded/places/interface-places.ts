import { ATTACH_TYPES } from "../../bpf/tables/names.gen.js";
import { errorName } from "../../errno.js";
import { queryPrograms } from "../../sys/bpf-objects.js";
import { openFile } from "../../sys/file.js";
import { syscall } from "../../sys/libc.js";
import { enterNetwork, routeDump } from "../../sys/network.js";
import { NR } from "../../sys/numbers.js";
import type { InterfacePlace, NetnsPlace } from "../model/places.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import { interfaceOf, LINK_BODY, RTM_GETLINK } from "./link-messages.js";
import { openNetns } from "./network-namespaces.js";
import { type RouteMessage, routeMessages } from "./route-messages.js";
import {
  filterPlaces,
  filterProgram,
  filterRequest,
  placeName,
  qdiscRequest,
  RTM_GETQDISC,
  RTM_GETTFILTER,
} from "./tc-messages.js";

/** What PROG_QUERY tells of an interface (bpf_prog_query of kernel/bpf/syscall.c). */
const OF_INTERFACES = numbered("tcx_ingress", "tcx_egress", "netkit_primary", "netkit_peer");
/** What PROG_QUERY tells of a network namespace (enum netns_bpf_attach_type of linux/bpf-netns.h). */
const OF_NAMESPACES = numbered("flow_dissector", "sk_lookup");

export interface InterfacePlaces {
  readonly places: readonly (InterfacePlace | NetnsPlace)[];
  readonly view: View;
}

/**
 * What is attached to network namespaces and their interfaces. The calling thread enters each namespace and returns:
 * call it on a thread that nothing else uses meanwhile. Throws GATE_FAILED if it cannot return.
 */
export function interfacePlaces(namespaces: ReadonlyMap<number, string>): InterfacePlaces {
  const own = openFile("/proc/thread-self/ns/net");
  const places: (InterfacePlace | NetnsPlace)[] = [];
  const failed: string[] = [];
  for (const [netns, path] of namespaces) {
    const fd = openNetns(netns, path);
    // what kept the namespace has gone
    if (fd === null) continue;
    for (const { name: attachType, number } of OF_NAMESPACES) {
      const programs = queryPrograms(fd, number);
      if (typeof programs === "number") continue;
      for (const program of programs) places.push({ program, at: "netns", attachType, netns });
    }
    const error = enterNetwork(fd);
    if (error === 0) failed.push(...readHere(netns, places));
    else failed.push(`namespace ${netns} cannot be entered: ${errorName(-error)}`);
    syscall(NR.close, fd);
  }
  enterNetwork(own, "must return");
  syscall(NR.close, own);
  const name = "interfaces";
  return {
    places,
    view: failed.length === 0 ? completeView(name) : incompleteView(name, failed.slice(0, 5).join(", ")),
  };
}

/** Adds what is attached in the namespace of the calling thread, and returns what could not be read. */
function readHere(netns: number, places: (InterfacePlace | NetnsPlace)[]): readonly string[] {
  const links = answerOf(RTM_GETLINK, new Uint8Array(LINK_BODY));
  const interfaces = links.messages.map(interfaceOf).filter((one) => one !== null);
  for (const { ifindex, name, xdp } of interfaces) {
    for (const program of xdp) places.push({ program, at: "interface", attachType: "xdp", ifindex, name, netns });
    for (const { name: attachType, number } of OF_INTERFACES) {
      const programs = queryPrograms(ifindex, number);
      // no tcx before Linux 6.6, and netkit only on devices of that kind
      if (typeof programs === "number") continue;
      for (const program of programs) places.push({ program, at: "interface", attachType, ifindex, name, netns });
    }
  }
  const qdiscs = answerOf(RTM_GETQDISC, qdiscRequest());
  for (const place of qdiscs.messages.flatMap(filterPlaces)) {
    const { ifindex, parent } = place;
    const name = interfaces.find((one) => one.ifindex === ifindex)?.name ?? null;
    // a qdisc without classes has no filters: the kernel answers EINVAL
    for (const program of answerOf(RTM_GETTFILTER, filterRequest(place)).messages.map(filterProgram))
      if (program !== null)
        places.push({ program, at: "interface", attachType: placeName(parent), ifindex, name, netns });
  }
  return [links.error, qdiscs.error].filter((error) => error !== null).map((error) => `namespace ${netns}: ${error}`);
}

interface Answer {
  readonly messages: readonly RouteMessage[];
  readonly error: string | null;
}

/** Asks rtnetlink in the namespace of the calling thread. */
function answerOf(type: number, body: Uint8Array): Answer {
  const dump = routeDump(type, body);
  const messages: RouteMessage[] = [];
  if (typeof dump === "number") return { messages, error: errorName(-dump) };
  for (const bytes of dump) {
    const answer = routeMessages(bytes);
    messages.push(...answer.messages);
    if (answer.done) return { messages, error: answer.error === 0 ? null : errorName(-answer.error) };
  }
  return { messages, error: "an answer of rtnetlink has no end" };
}

function numbered(...names: readonly string[]): readonly { readonly name: string; readonly number: number }[] {
  return names.map((name) => ({ name, number: ATTACH_TYPES.indexOf(name) }));
}
