import type { LinkReport } from "./objects.js";
import type { Place } from "./places.js";

/** A text that a link and what a target tells have in common if they can be the same attachment. */
export function linkKey({ type, target }: LinkReport): string {
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
export function placeKeys(place: Place): readonly string[] {
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
