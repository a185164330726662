import { linkKey, placeKeys } from "../../loaded/model/attachment-key.js";
import type { LinkReport, ProgramReport } from "../../loaded/model/objects.js";
import type { Place } from "../../loaded/model/places.js";
import type { Scan } from "../../loaded/model/scan.js";
import { visibleText } from "../../visible-text.js";
import { linkPlace } from "./link-place.js";

/** Where the programs and links of a scan are attached, in words. */
export class AttachedPlaces {
  readonly #places = new Map<number, Place[]>();
  readonly #links = new Map<number, LinkReport[]>();
  /** The places that can be those of a link, by the program and {@link linkKey}. */
  readonly #byKey = new Map<string, Place[]>();

  constructor(readonly scan: Pick<Scan, "places" | "links" | "netns">) {
    for (const place of scan.places) {
      add(this.#places, place.program, place);
      for (const key of placeKeys(place)) add(this.#byKey, `${place.program} ${key}`, place);
    }
    for (const link of scan.links) if (link.program !== null) add(this.#links, link.program, link);
  }

  /** What targets say of a program, and the links that no target has. */
  ofProgram(program: number): readonly string[] {
    const links = this.#links.get(program) ?? [];
    return [
      ...(this.#places.get(program) ?? []).map((place) => placeWords(place, this.scan.netns)),
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
    return told.length === 0 ? linkPlace(link) : told.map((place) => placeWords(place, this.scan.netns)).join(" or ");
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
    return this.#byKey.get(`${link.program} ${linkKey(link)}`) ?? [];
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

/** Where a program is attached. `own` is the network namespace of the process that scanned. */
export function placeWords(place: Place, own: number): string {
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
