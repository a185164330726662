import type { LinkReport, ProgramReport } from "../../loaded/model/objects.js";
import type { Place } from "../../loaded/model/places.js";
import type { Scan } from "../../loaded/model/scan.js";
import { visibleText } from "../../visible-text.js";
import { linkPlace } from "./link-place.js";

/** Where the programs and links of a scan are attached, in words. */
export class AttachedPlaces {
  readonly #places = new Map<number, Place[]>();
  readonly #links = new Map<number, LinkReport[]>();
  /** The places that can be those of a link, by the program and {@link keyOf}. */
  readonly #byKey = new Map<string, Place[]>();

  constructor(readonly scan: Pick<Scan, "places" | "links" | "netns">) {
    for (const place of scan.places) {
      add(this.#places, place.program, place);
      for (const key of keysOf(place)) add(this.#byKey, `${place.program} ${key}`, place);
    }
    for (const link of scan.links) if (link.program !== null) add(this.#links, link.program, link);
  }

  /** What targets say of a program, and the links that no target has. */
  ofProgram(program: number): readonly string[] {
    const links = this.#links.get(program) ?? [];
    return [
      ...(this.#places.get(program) ?? []).map((place) => wordsOf(place, this.scan.netns)),
      ...links.filter((link) => this.#told(link).length === 0).map(linkPlace),
    ];
  }

  /** Whether a target tells of a program. */
  tellOf(program: number): boolean {
    return this.#places.has(program);
  }

  /** The place that a target tells, if there is one of the link's program. */
  ofLink(link: LinkReport): string {
    const told = this.#told(link);
    // several interfaces in different namespaces can have one number: the link is on one of them
    return told.length === 0 ? linkPlace(link) : told.map((place) => wordsOf(place, this.scan.netns)).join(" or ");
  }

  /**
   * How programs of a type are attached where the kernel shows it nowhere; nothing if this one is attached where it is
   * shown.
   */
  unseen({ id, type }: ProgramReport): readonly string[] {
    return this.#places.has(id) || this.#links.has(id) ? [] : (WITHOUT_VIEW[type] ?? []);
  }

  /** What targets tell that can be the same attachment as a link. */
  #told(link: LinkReport): readonly Place[] {
    return this.#byKey.get(`${link.program} ${keyOf(link)}`) ?? [];
  }
}

/** By the type of the program. xt_bpf is a match of iptables. */
const WITHOUT_VIEW: Readonly<Record<string, readonly string[]>> = {
  socket_filter: ["SO_ATTACH_BPF", "PACKET_FANOUT", "SO_REUSEPORT", "TUN", "xt_bpf"],
  sk_reuseport: ["SO_REUSEPORT"],
  perf_event: ["PERF_EVENT_IOC_SET_BPF"],
  lirc_mode2: ["LIRC"],
};

function add<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}

/** A text that a link and what a target tells have in common if they can be the same attachment. */
function keyOf({ type, target }: LinkReport): string {
  switch (type) {
    case "cgroup":
      return `cgroup ${target.cgroup_id} ${target.attach_type}`;
    case "sockmap":
      return `map ${target.map_id} ${target.attach_type}`;
    case "netns":
      return `netns ${target.netns_ino} ${target.attach_type}`;
    case "perf_event":
      // before Linux 6.6 a link does not say which event it is
      return target.event === "unspec" ? "event" : `event ${target.event} ${nameOf(target)}`;
    default:
      return `interface ${target.ifindex} ${target.attach_type ?? type}`;
  }
}

/** The same texts of a place; none if no link is attached there. */
function keysOf(place: Place): readonly string[] {
  switch (place.at) {
    case "cgroup":
      return [`cgroup ${place.cgroupId} ${place.attachType}`];
    case "interface":
      return [`interface ${place.ifindex} ${place.attachType}`];
    case "map":
      return [`map ${place.map} ${place.attachType}`];
    case "netns":
      return [`netns ${place.netns} ${place.attachType}`];
    case "event":
      return ["event", `event ${place.event} ${place.name}`];
    case "element":
    case "action":
    case "route":
    case "struct_ops":
      return [];
  }
}

function nameOf({ tp_name, func_name, file_name }: LinkReport["target"]): unknown {
  return tp_name ?? func_name ?? file_name ?? null;
}

function wordsOf(place: Place, own: number): string {
  switch (place.at) {
    case "cgroup":
      return visibleText(`${place.attachType} of cgroup ${place.path}`);
    case "interface": {
      const on = place.name ?? `interface ${place.ifindex}`;
      return visibleText(`${place.attachType} on ${on}${elsewhere(place.netns, own)}`);
    }
    case "action":
      return `tc action ${place.index} of ${netnsOf(place.netns, own)}`;
    case "route": {
      const route = `${place.attachType} of route ${place.destination}${elsewhere(place.netns, own)}`;
      return visibleText(place.isCertain ? route : `perhaps ${route}`);
    }
    case "netns":
      return `${place.attachType} of ${netnsOf(place.netns, own)}`;
    case "map":
      return `${place.attachType} of map ${place.map}`;
    case "event": {
      const at = place.offset === 0 ? "" : `+${place.offset}`;
      return visibleText(`${place.event} ${place.name ?? "unknown"}${at} of process ${place.pid}`);
    }
    case "element":
      return `element ${place.index} of map ${place.map}`;
    case "struct_ops":
      return visibleText(`${place.member} of map ${place.map}`);
  }
}

function elsewhere(netns: number, own: number): string {
  return netns === own ? "" : ` of ${netnsOf(netns, own)}`;
}

function netnsOf(netns: number, own: number): string {
  return netns === own ? "this network namespace" : `network namespace ${netns}`;
}
