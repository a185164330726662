import { ERRNO, errorName } from "../../errno.js";
import { openFile } from "../../sys/file.js";
import { enterNetwork, routeDump } from "../../sys/network.js";
import type { ProgramReport } from "../model/objects.js";
import type { ActionPlace, InterfacePlace, NetnsPlace, RoutePlace } from "../model/places.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import { Opened } from "../reads/opened.js";
import type { Reads } from "../reads/reads.js";
import { numbersRead } from "../reads/values.js";
import { actionRequest, actionsOf, RTM_GETACTION } from "./action-messages.js";
import { attachedPrograms, attachedRead, attachTypes } from "./attached-programs.js";
import { interfaceOf, LINK_BODY, RTM_GETLINK } from "./link-messages.js";
import { type NetworkHolder, openNetns } from "./network-namespaces.js";
import { keptMessages, type RouteMessage, routeMessages } from "./route-messages.js";
import {
  classPlaces,
  classRequest,
  type FilterPlace,
  filterPlaces,
  filterRequest,
  placeName,
  programFilter,
  qdiscRequest,
  RTM_GETQDISC,
  RTM_GETTCLASS,
  RTM_GETTFILTER,
} from "./tc-messages.js";
import { hasPrograms, ROUTE_BODY, RTM_GETROUTE, TUNNEL_TYPES, tunnelPrograms } from "./tunnel-messages.js";

/** What PROG_QUERY tells of an interface (bpf_prog_query of kernel/bpf/syscall.c). Linux has tcx since 6.6. */
const OF_INTERFACES = attachTypes("tcx_ingress", "tcx_egress", "netkit_primary", "netkit_peer");
/** What PROG_QUERY tells of a network namespace (enum netns_bpf_attach_type of linux/bpf-netns.h). */
const OF_NAMESPACES = attachTypes("flow_dissector", "sk_lookup");

export interface InterfacePlaces {
  readonly places: readonly NetworkPlace[];
  readonly view: View;
}

type NetworkPlace = InterfacePlace | NetnsPlace | ActionPlace | RoutePlace;

/**
 * What is attached to network namespaces, their interfaces, tc actions and routes. The last two are asked only if a
 * program of their types is loaded. The calling thread enters each namespace and returns: call it on a thread that
 * nothing else uses meanwhile. Throws GATE_FAILED if it cannot return.
 */
export function interfacePlaces(
  reads: Reads,
  namespaces: ReadonlyMap<number, NetworkHolder>,
  programs: readonly ProgramReport[],
): InterfacePlaces {
  const own = new Opened(() => openFile("/proc/thread-self/ns/net"));
  reads.live(() => own.use((fd) => fd));
  const places: NetworkPlace[] = [];
  const failed: string[] = [];
  const hasActions = programs.some(({ type }) => type === "sched_act");
  const tunnels = programs.filter(({ type }) => TUNNEL_TYPES.has(type));
  for (const [netns, holder] of namespaces) {
    const opened = new Opened(() => openNetns(netns, holder));
    const network = { reads, netns, name: `@net/${netns}` };
    const attached = attachedRead(reads, `${network.name}/programs`, () =>
      opened.use((fd) => attachedPrograms(fd, OF_NAMESPACES)),
    );
    // what kept the namespace has gone
    if (typeof attached === "number" && GONE.has(-attached)) continue;
    for (const one of typeof attached === "number" ? [] : attached) places.push({ ...one, at: "netns", netns });
    const entered = numbersRead(reads, `${network.name}/entered`, () => opened.use((fd) => enterNetwork(fd) || []));
    if (typeof entered === "number") failed.push(`namespace ${netns} cannot be entered: ${errorName(-entered)}`);
    else {
      failed.push(...readHere(network, places));
      if (hasActions) failed.push(...readActions(network, places));
      if (tunnels.length > 0) failed.push(...readRoutes(network, tunnels, places));
    }
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

/** Maximum number of places: any user can have as many routes as there is memory, and each can have any program. */
const MAX_PLACES = 200_000;

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
function readHere(network: Network, places: NetworkPlace[]): readonly string[] {
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
  const filtered = new Map<string, FilterPlace>();
  const add = (place: FilterPlace) => filtered.set(`${place.ifindex}/filters-${place.parent}`, place);
  for (const place of qdiscs.messages.flatMap(filterPlaces)) {
    add(place);
    if (place.hasClasses !== true) continue;
    const { ifindex } = place;
    const classes = answerOf(network, `${ifindex}/classes-${place.parent}`, RTM_GETTCLASS, classRequest(ifindex));
    classes.messages.flatMap(classPlaces).forEach(add);
  }
  for (const [of, place] of filtered) {
    const { ifindex, parent } = place;
    const name = names.get(ifindex) ?? null;
    const attachType = placeName(parent);
    // a qdisc without classes has no filters: the kernel answers EINVAL
    const filters = answerOf(network, of, RTM_GETTFILTER, filterRequest(place));
    for (const one of filters.messages.map((message) => programFilter(message, place)))
      if (one !== null) places.push({ ...one, at: "interface", attachType, ifindex, name, netns });
  }
  return reasonsOf(network, links, qdiscs);
}

/** Adds the tc actions of a namespace that have programs. */
function readActions(network: Network, places: NetworkPlace[]): readonly string[] {
  const actions = answerOf(network, "actions", RTM_GETACTION, actionRequest());
  const { netns } = network;
  for (const { index, program } of actions.messages.flatMap(actionsOf))
    places.push({ program, at: "action", index, netns });
  return reasonsOf(network, actions);
}

/** Adds the routes of a namespace that have programs. */
function readRoutes(network: Network, programs: readonly ProgramReport[], places: NetworkPlace[]): readonly string[] {
  const routes = answerOf(network, "routes", RTM_GETROUTE, new Uint8Array(ROUTE_BODY), (part) =>
    keptMessages(part, hasPrograms),
  );
  const { netns } = network;
  for (const { type, destination, name, program: own } of routes.messages.flatMap(tunnelPrograms)) {
    if (places.length > MAX_PLACES) return [`only ${MAX_PLACES} places were read`];
    const ids = own === null ? programs.filter((one) => one.type === type).map(({ id }) => id) : [own];
    const place = { at: "route", attachType: type, destination, name, netns, isCertain: ids.length === 1 } as const;
    for (const program of ids) places.push({ program, ...place });
  }
  return reasonsOf(network, routes);
}

/** Why answers are not whole. */
function reasonsOf({ netns }: Network, ...answers: readonly Answer[]): readonly string[] {
  return answers.flatMap(({ error }) => (error === null ? [] : [`namespace ${netns}: ${error}`]));
}

interface Answer {
  readonly messages: readonly RouteMessage[];
  readonly error: string | null;
}

/** Asks rtnetlink. The result has the parts of the answer one after the other: each is aligned to 4 bytes. */
function answerOf(
  { reads, name }: Network,
  of: string,
  type: number,
  body: Uint8Array,
  kept?: (part: Uint8Array) => Uint8Array,
): Answer {
  const bytes = reads.bytes(`${name}/${of}`, () => {
    const dump = routeDump(type, body, kept);
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
