import { ERRNO, errorName } from "../../errno.js";
import { openFile } from "../../sys/file.js";
import { enterNetwork, routeDump } from "../../sys/network.js";
import type { InterfacePlace, NetnsPlace } from "../model/places.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import { Opened } from "../reads/opened.js";
import type { Reads } from "../reads/reads.js";
import { numbersRead } from "../reads/values.js";
import { attachedPrograms, attachedRead, attachTypes } from "./attached-programs.js";
import { interfaceOf, LINK_BODY, RTM_GETLINK } from "./link-messages.js";
import { type NetworkHolder, openNetns } from "./network-namespaces.js";
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

/** What PROG_QUERY tells of an interface (bpf_prog_query of kernel/bpf/syscall.c). Linux has tcx since 6.6. */
const OF_INTERFACES = attachTypes("tcx_ingress", "tcx_egress", "netkit_primary", "netkit_peer");
/** What PROG_QUERY tells of a network namespace (enum netns_bpf_attach_type of linux/bpf-netns.h). */
const OF_NAMESPACES = attachTypes("flow_dissector", "sk_lookup");

export interface InterfacePlaces {
  readonly places: readonly (InterfacePlace | NetnsPlace)[];
  readonly view: View;
}

/**
 * What is attached to network namespaces and their interfaces. The calling thread enters each namespace and returns:
 * call it on a thread that nothing else uses meanwhile. Throws GATE_FAILED if it cannot return.
 */
export function interfacePlaces(reads: Reads, namespaces: ReadonlyMap<number, NetworkHolder>): InterfacePlaces {
  const own = new Opened(() => openFile("/proc/thread-self/ns/net"));
  reads.live(() => own.use((fd) => fd));
  const places: (InterfacePlace | NetnsPlace)[] = [];
  const failed: string[] = [];
  for (const [netns, holder] of namespaces) {
    const opened = new Opened(() => openNetns(netns, holder));
    const network = { reads, netns, name: `@net/${netns}` };
    const programs = attachedRead(reads, `${network.name}/programs`, () =>
      opened.use((fd) => attachedPrograms(fd, OF_NAMESPACES)),
    );
    // what kept the namespace has gone
    if (typeof programs === "number" && GONE.has(-programs)) continue;
    for (const one of typeof programs === "number" ? [] : programs) places.push({ ...one, at: "netns", netns });
    const entered = numbersRead(reads, `${network.name}/entered`, () => opened.use((fd) => enterNetwork(fd) || []));
    if (typeof entered === "number") failed.push(`namespace ${netns} cannot be entered: ${errorName(-entered)}`);
    else failed.push(...readHere(network, places));
    opened.close();
  }
  reads.live(() => own.use((fd) => enterNetwork(fd, "must return")));
  own.close();
  const name = "interfaces";
  return {
    places,
    view: failed.length === 0 ? completeView(name) : incompleteView(name, failed.slice(0, 5).join(", ")),
  };
}

/** How a namespace cannot be opened whose process or descriptor has gone. */
const GONE: ReadonlySet<number> = new Set([ERRNO.ENOENT, ERRNO.ESRCH, ERRNO.EBADF]);

/** A network namespace in which the calling thread is, if the kernel itself is asked. */
interface Network {
  readonly reads: Reads;
  /** Its inode number. */
  readonly netns: number;
  /** The beginning of the names of its results. */
  readonly name: string;
}

/** Adds what is attached in a namespace, and returns what could not be read. */
function readHere(network: Network, places: (InterfacePlace | NetnsPlace)[]): readonly string[] {
  const { reads, netns } = network;
  const links = answerOf(network, "links", RTM_GETLINK, new Uint8Array(LINK_BODY));
  const names = new Map<number, string | null>();
  for (const { ifindex, name, xdp } of links.messages.map(interfaceOf).filter((one) => one !== null)) {
    if (!names.has(ifindex)) names.set(ifindex, name);
    for (const program of xdp) places.push({ program, at: "interface", attachType: "xdp", ifindex, name, netns });
    const found = attachedRead(reads, `${network.name}/${ifindex}/programs`, () =>
      attachedPrograms(ifindex, OF_INTERFACES),
    );
    for (const one of typeof found === "number" ? [] : found)
      places.push({ ...one, at: "interface", ifindex, name, netns });
  }
  const qdiscs = answerOf(network, "qdiscs", RTM_GETQDISC, qdiscRequest());
  for (const place of qdiscs.messages.flatMap(filterPlaces)) {
    const { ifindex, parent } = place;
    const name = names.get(ifindex) ?? null;
    const attachType = placeName(parent);
    // a qdisc without classes has no filters: the kernel answers EINVAL
    const filters = answerOf(network, `${ifindex}/filters-${parent}`, RTM_GETTFILTER, filterRequest(place));
    for (const program of filters.messages.map(filterProgram))
      if (program !== null) places.push({ program, at: "interface", attachType, ifindex, name, netns });
  }
  return [links.error, qdiscs.error].filter((error) => error !== null).map((error) => `namespace ${netns}: ${error}`);
}

interface Answer {
  readonly messages: readonly RouteMessage[];
  readonly error: string | null;
}

/** Asks rtnetlink. The result has the parts of the answer one after the other: each is aligned to 4 bytes. */
function answerOf({ reads, name }: Network, of: string, type: number, body: Uint8Array): Answer {
  const bytes = reads.bytes(`${name}/${of}`, () => {
    const dump = routeDump(type, body);
    return typeof dump === "number" ? dump : Buffer.concat(dump.map(padded));
  });
  if (typeof bytes === "number") return { messages: [], error: errorName(-bytes) };
  const { messages, done, error } = routeMessages(bytes);
  if (!done) return { messages, error: "an answer of rtnetlink has no end" };
  return { messages, error: error === 0 ? null : errorName(-error) };
}

function padded(part: Uint8Array): Uint8Array {
  return Buffer.concat([part, Buffer.alloc(-part.byteLength & 3)]);
}
