import type { LinkReport } from "../../loaded/model/objects.js";
import type { Place } from "../../loaded/model/places.js";
import type { Scan } from "../../loaded/model/scan.js";
import { visibleText } from "../../visible-text.js";
import { linkPlace } from "./link-place.js";

/** Where a program is attached, in words: what targets say of it, and the links that no target has. */
export function attachedPlaces(program: number, { places, links, netns }: Scan): readonly string[] {
  const told = places.filter((place) => place.program === program);
  const others = links.filter((link) => link.program === program && !told.some((place) => isOf(link, place)));
  return [...told.map((place) => wordsOf(place, netns)), ...others.map(linkPlace)];
}

/** Where a link is attached: by the place that a target tells, if there is one of its program. */
export function attachedLink(link: LinkReport, { places, netns }: Scan): string {
  const told = places.filter((place) => place.program === link.program && isOf(link, place));
  // several interfaces in different namespaces can have one number: the link is on one of them
  return told.length === 0 ? linkPlace(link) : told.map((place) => wordsOf(place, netns)).join(" or ");
}

/** Whether a link and what a target tells can be the same attachment. */
function isOf({ type, target }: LinkReport, place: Place): boolean {
  switch (place.at) {
    case "cgroup":
      return type === "cgroup" && target.cgroup_id === place.cgroupId && target.attach_type === place.attachType;
    case "interface":
      return target.ifindex === place.ifindex && (target.attach_type ?? type) === place.attachType;
    case "map":
      return type === "sockmap" && target.map_id === place.map && target.attach_type === place.attachType;
    case "netns":
      return type === "netns" && target.netns_ino === place.netns && target.attach_type === place.attachType;
    case "event":
      // before Linux 6.6 a link does not say which event it is
      if (type !== "perf_event" || target.event === "unspec") return type === "perf_event";
      return target.event === place.event && nameOf(target) === place.name;
    case "element":
    case "struct_ops":
      return false;
  }
}

function nameOf({ tp_name, func_name, file_name }: LinkReport["target"]): unknown {
  return tp_name ?? func_name ?? file_name;
}

function wordsOf(place: Place, own: number): string {
  switch (place.at) {
    case "cgroup":
      return visibleText(`${place.attachType} of cgroup ${place.path}`);
    case "interface": {
      const elsewhere = place.netns === own ? "" : ` of ${netnsOf(place.netns, own)}`;
      return visibleText(`${place.attachType} on ${place.name ?? `interface ${place.ifindex}`}${elsewhere}`);
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

function netnsOf(netns: number, own: number): string {
  return netns === own ? "this network namespace" : `network namespace ${netns}`;
}
