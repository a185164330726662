import type { LinkReport, LinkTarget } from "../model/objects.js";
import type { Place } from "../model/places.js";
import type { Scan } from "../model/scan.js";
import type { ObjectState } from "./object-state.js";

/** Fields of a link's target that count events: they say nothing about where it is attached. */
const COUNTERS: ReadonlySet<string> = new Set(["missed"]);

/** Fields of a link's target that a kernel numbers in each boot anew. */
const NUMBERED: ReadonlySet<string> = new Set([
  ...["ifindex", "cgroup_id", "netns_ino", "map_id", "target_obj_id", "target_btf_id"],
  ...["tid", "pid", "config"],
]);

/** Texts by which the objects of two scans are compared: equal texts mean the same. */
export class StateKeys {
  readonly #programs: ReadonlyMap<number, string>;
  readonly #maps: ReadonlyMap<number, string>;

  /** @param isSameBoot whether both scans are of one boot: then ids and the kernel's numbers name things */
  constructor(
    readonly scan: Scan,
    readonly isSameBoot: boolean,
  ) {
    const programs = scan.programs.map(({ id, type, name, tag }) => [id, text(type, name, tag)] as const);
    this.#programs = new Map(programs);
    const maps = scan.maps.map(({ id, type, name, keySize, valueSize, maxEntries, flags }) => {
      return [id, text(type, name, keySize, valueSize, maxEntries, flags)] as const;
    });
    this.#maps = new Map(maps);
  }

  /** What an object is: its id within one boot, and what does not change while it exists. */
  identity({ kind, object }: ObjectState): string {
    return text(kind, this.isSameBoot ? object.id : null, this.#form(kind, object));
  }

  /** Where an object is attached and pinned. */
  place({ kind, places, links, pins }: ObjectState): string {
    const attached = [...places.map((place) => this.#placeKey(place)), ...links.map((link) => this.#linkKey(link))];
    const pinned = pins.map(({ path, mountNamespace }) => text(path, this.#namespace(mountNamespace, null)));
    // where a link is attached is what it is, and not where it has moved to, unless the ids of one boot name it
    return text(kind === "link" && !this.isSameBoot ? [] : unique(attached), unique(pinned));
  }

  #form(kind: ObjectState["kind"], object: ObjectState["object"]): string {
    if (kind === "link") {
      const link = object as LinkReport;
      return this.isSameBoot ? text(link.type) : text(this.#programs.get(link.program ?? 0), this.#linkKey(link));
    }
    return (kind === "program" ? this.#programs : this.#maps).get(object.id) ?? "";
  }

  #placeKey(place: Place): string {
    switch (place.at) {
      case "cgroup":
        return text(place.at, place.attachType, place.path);
      case "map":
        return text(place.at, place.attachType, this.#map(place.map));
      case "element":
        return text(place.at, this.#map(place.map), place.index);
      case "netns":
        return text(place.at, place.attachType, this.#namespace(place.netns, this.scan.netns));
      case "interface":
        return text(
          ...[place.at, place.attachType, place.name ?? place.ifindex],
          this.#namespace(place.netns, this.scan.netns),
        );
      case "action":
        return text(place.at, this.isSameBoot ? place.index : null, this.#namespace(place.netns, this.scan.netns));
      case "route":
        return text(place.at, place.attachType, place.destination, this.#namespace(place.netns, this.scan.netns));
      case "event":
        return text(place.at, place.event, place.name, place.offset);
      case "struct_ops":
        return text(place.at, this.#map(place.map), place.member);
    }
  }

  #linkKey({ type, program, target }: LinkReport): string {
    const fields: LinkTarget = Object.fromEntries(
      Object.entries(target).filter(([name]) => !COUNTERS.has(name) && (this.isSameBoot || !NUMBERED.has(name))),
    );
    return text(type, this.isSameBoot ? program : null, Object.entries(fields).sort());
  }

  #map(id: number): unknown {
    return this.isSameBoot ? id : this.#maps.get(id);
  }

  /** A namespace by its number, or in another boot by whether it is that of the process that scanned. */
  #namespace(number: number | null, own: number | null): unknown {
    return this.isSameBoot ? number : number === own;
  }
}

function text(...parts: readonly unknown[]): string {
  return JSON.stringify(parts, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
}

function unique(keys: readonly string[]): readonly string[] {
  return [...new Set(keys)].sort();
}
