import { statSync } from "node:fs";
import { ATTACH_TYPES } from "../../bpf/tables/names.gen.js";
import { openObject } from "../../sys/bpf.js";
import { attachRevision, deleteElement, detachLink, detachProgram } from "../../sys/bpf-detach.js";
import { openFile } from "../../sys/file.js";
import { routeChange } from "../../sys/network.js";
import { close } from "../../sys/pidfd.js";
import type {
  ActionPlace,
  CgroupPlace,
  ElementPlace,
  InterfacePlace,
  MapPlace,
  NetnsPlace,
  Place,
  RoutePlace,
} from "../model/places.js";
import type { ObjectName } from "../model/references.js";
import { mountPoints } from "../mounts/mount-points.js";
import { actionRemoval, actionRequest, actionsOf, RTM_GETACTION } from "../places/action-messages.js";
import { attachedPrograms } from "../places/attached-programs.js";
import { LINK_BODY, RTM_GETLINK, xdpMode, xdpRemoval } from "../places/link-messages.js";
import { elementProgram } from "../places/map-places.js";
import type { RouteMessage } from "../places/route-messages.js";
import { filterRemoval, filterRequest, programFilter, RTM_GETTFILTER } from "../places/tc-messages.js";
import { ROUTE_BODY, RTM_GETROUTE, routeRemoval, tunnelPrograms } from "../places/tunnel-messages.js";
import { KERNEL } from "../reads/reads.js";
import { fileResult, textRead } from "../reads/values.js";
import { mapById } from "../views/kernel-objects.js";
import { listed } from "./answer.js";
import { attachmentKey } from "./attachment.js";
import { inNetwork } from "./in-network.js";
import { done, notDetached } from "./not-detached.js";
import type { Removal } from "./removal.js";
import { removePin } from "./remove-pin.js";

/**
 * Removes one attachment of an object, after a last look at its place. Throws SCAN_NOT_DETACHED if it is no longer
 * there, or if the kernel denies it. The calling thread may enter a network namespace, and returns.
 */
export function remove(object: ObjectName, { attachment, obstacle }: Removal): number {
  if (obstacle !== null) throw notDetached(obstacle, "end what holds it");
  switch (attachment.by) {
    case "link":
      return withObject("link", attachment.link.id, (fd) => done(detachLink(fd), "BPF_LINK_DETACH"));
    case "pin":
      return removePin(object, attachment.pin);
    case "structure":
      return withObject("map", attachment.map, (fd) => done(deleteElement(fd, 0), "BPF_MAP_DELETE_ELEM"));
    case "target":
      return withObject("program", attachment.place.program, (fd) => removeFrom(attachment.place, fd));
  }
}

function withObject(kind: ObjectName["kind"], id: number, act: (fd: number) => number): number {
  const fd = done(openObject(kind, id, true), `opening ${kind} ${id}`);
  try {
    return act(fd);
  } finally {
    close(fd);
  }
}

/** @param program a descriptor of the program */
function removeFrom(place: Place, program: number): number {
  switch (place.at) {
    case "cgroup":
      return fromCgroup(place, program);
    case "map":
      return withObject("map", place.map, (map) => detach(map, program, place));
    case "netns":
      return inNetwork(place.netns, () => detach(0, program, place));
    case "element":
      return fromElement(place);
    case "interface":
      return inNetwork(place.netns, () => fromInterface(place, program));
    case "action":
      return inNetwork(place.netns, () => removeAction(place));
    case "route":
      return inNetwork(place.netns, () => removeRoute(place));
    case "event":
    case "struct_ops":
      throw notDetached(`nothing removes ${attachmentKey({ by: "target", place })}`, "end what holds it");
  }
}

function detach(
  target: number,
  program: number,
  { attachType }: CgroupPlace | MapPlace | NetnsPlace | InterfacePlace,
  revision = 0n,
): number {
  return done(detachProgram(target, program, ATTACH_TYPES.indexOf(attachType), revision), "BPF_PROG_DETACH");
}

/** A cgroup with one program at most ignores which program is named: only its revision says that it is this one. */
function fromCgroup(place: CgroupPlace, program: number): number {
  const mounts = mountPoints(textRead(KERNEL, "/proc/self/mountinfo", "latin1") ?? "", "cgroup2");
  const mount = mounts.find(({ root }) => root === "/");
  if (mount === undefined) throw notDetached("the unified hierarchy of cgroups is not mounted", "mount cgroup2");
  const folder = `${mount.path}${place.path}`;
  const inode = fileResult(() => statSync(folder, { bigint: true }).ino);
  if (inode !== place.cgroupId) throw notDetached(`cgroup ${place.path} has gone`, "scan again");
  const cgroup = done(openFile(folder), `opening cgroup ${place.path}`);
  try {
    const type = ATTACH_TYPES.indexOf(place.attachType);
    const revision = attachRevision(cgroup, type);
    const { program: id } = place;
    if (!attachedPrograms(cgroup, [type]).some(([, one]) => one === id)) throw gone(place);
    return detach(cgroup, program, place, revision);
  } finally {
    close(cgroup);
  }
}

function gone({ program }: Place): Error {
  return notDetached(`program ${program} is no longer where it was`, "scan again");
}

function fromElement(place: ElementPlace): number {
  const map = mapById(KERNEL, place.map);
  if (map === null) throw gone(place);
  return withObject("map", place.map, (fd) => {
    if (elementProgram(fd, map, place.index) !== place.program) throw gone(place);
    return done(deleteElement(fd, place.index), "BPF_MAP_DELETE_ELEM");
  });
}

function fromInterface(place: InterfacePlace, program: number): number {
  if (place.filter !== undefined) return removeFilter(place, place.filter);
  if (place.attachType !== "xdp") return detach(place.ifindex, program, place);
  const modes = listed(RTM_GETLINK, new Uint8Array(LINK_BODY), () => true).flatMap((message) => {
    const mode = xdpMode(message, place.ifindex, place.program);
    return mode === null ? [] : [mode];
  });
  const [mode] = modes;
  if (mode === undefined) throw gone(place);
  return change(xdpRemoval(place.ifindex, mode, program));
}

function removeFilter(place: InterfacePlace, filter: NonNullable<InterfacePlace["filter"]>): number {
  const key = JSON.stringify({ program: place.program, filter });
  const found = listed(
    RTM_GETTFILTER,
    filterRequest(filter.listed),
    (message) => JSON.stringify(programFilter(message, filter.listed)) === key,
  );
  if (found.length === 0) throw gone(place);
  return change(filterRemoval(filter));
}

function removeAction(place: ActionPlace): number {
  const { index, program } = place;
  const isThis = (message: RouteMessage) =>
    actionsOf(message).some((one) => one.index === index && one.program === program);
  if (listed(RTM_GETACTION, actionRequest(), isThis).length === 0) throw gone(place);
  return change(actionRemoval(index));
}

function removeRoute(place: RoutePlace): number {
  const { attachType, destination, name } = place;
  const isThis = (message: RouteMessage) =>
    tunnelPrograms(message).some(
      (one) =>
        one.type === attachType &&
        one.destination === destination &&
        one.name === name &&
        (one.program === null || one.program === place.program),
    );
  const found = listed(RTM_GETROUTE, new Uint8Array(ROUTE_BODY), isThis);
  const [route] = found;
  if (route === undefined) throw gone(place);
  if (found.length > 1)
    throw notDetached(`${found.length} routes to ${destination} have such a program`, "remove one with ip(8)");
  return change(routeRemoval(route));
}

function change({ type, body }: RouteMessage): number {
  return done(routeChange(type, body), CHANGES[type] ?? `request ${type} of rtnetlink`);
}

/** Message types of linux/rtnetlink.h. */
const CHANGES: Readonly<Record<number, string>> = {
  19: "RTM_SETLINK",
  25: "RTM_DELROUTE",
  45: "RTM_DELTFILTER",
  49: "RTM_DELACTION",
};
