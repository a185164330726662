import { bootTime } from "../sys/bpf-objects.js";
import { readSmall } from "../sys/file.js";
import { namespaceOf } from "../sys/namespace.js";
import type { LinkReport, MapReport, ProgramReport, StructOps } from "./model/objects.js";
import type { ElementPlace, MapPlace, Place } from "./model/places.js";
import { keyOf, type Reference, type References } from "./model/references.js";
import type { View } from "./model/view.js";
import { mountNamespaces } from "./mounts/mount-namespaces.js";
import { cgroupPlaces } from "./places/cgroup-places.js";
import { eventPlaces } from "./places/event-places.js";
import { interfacePlaces } from "./places/interface-places.js";
import { mapPlaces } from "./places/map-places.js";
import { networkNamespaces } from "./places/network-namespaces.js";
import { pinReferences } from "./references/pins.js";
import { processReferences, visibleProcesses } from "./references/processes.js";
import { type Listed, listLinks, listMaps, listPrograms } from "./views/kernel-objects.js";
import { KernelTypes } from "./views/kernel-types.js";
import { noAccess } from "./views/no-access.js";

/** What is loaded in the running kernel. */
export interface Scan {
  /** When the machine booted, in nanoseconds since 1970. */
  readonly bootTime: bigint;
  readonly programs: readonly ProgramReport[];
  readonly maps: readonly MapReport[];
  readonly links: readonly LinkReport[];
  readonly structOps: readonly StructOps[];
  /** Where programs are attached, as cgroups, maps and interfaces themselves say. */
  readonly places: readonly Place[];
  /** The inode number of the network namespace of this process. */
  readonly netns: number;
  /** What keeps the objects loaded, as far as it is visible. */
  readonly references: References;
  /** What was read, and what could not be. */
  readonly views: readonly View[];
}

/**
 * Reads what the kernel has loaded. It changes nothing. Objects that come or go meanwhile may be missing. Throws
 * SCAN_NO_ACCESS if the kernel does not list programs.
 */
export function scan(): Scan {
  const programs = listPrograms();
  if (programs.error !== 0) throw noAccess(programs.error, scanner());
  const [maps, links] = [listMaps(), listLinks()];
  const pids = visibleProcesses();
  const namespaces = mountNamespaces(pids);
  const [processes, pins] = [processReferences(pids), pinReferences(namespaces)];
  const networks = networkNamespaces(pids, namespaces, processes.networks);
  const [inMaps, cgroups, interfaces] = [mapPlaces(maps.objects), cgroupPlaces(), interfacePlaces(networks)];
  const views = [inMaps.view, cgroups.view, interfaces.view];
  const places = [...cgroups.places, ...interfaces.places, ...inMaps.places, ...eventPlaces(processes.events)];
  return {
    bootTime: bootTime(),
    programs: programs.objects,
    maps: maps.objects,
    links: links.objects,
    structOps: structOpsOf(maps),
    places,
    netns: namespaceOf("self", "net"),
    references: joined([
      ...[...processes.references, ...pins.references, ...objectReferences(programs, links)],
      ...mapReferences(inMaps.places),
    ]),
    views: [programs.view, maps.view, links.view, processes.view, pins.view, ...views],
  };
}

/** A link has its program, or the map that it registered; a program has its maps. */
function objectReferences(programs: Listed<ProgramReport>, links: Listed<LinkReport>): readonly Keyed[] {
  const ofLinks = links.objects.flatMap(({ id, type, program, target }): readonly Keyed[] => {
    const reference = { by: "link", id } as const;
    if (program !== null) return [[keyOf({ kind: "program", id: program }), reference]];
    const map = target.map_id;
    return type === "struct_ops" && typeof map === "number" ? [[keyOf({ kind: "map", id: map }), reference]] : [];
  });
  const ofPrograms = programs.objects.flatMap(({ id, maps }) =>
    maps.map((map): Keyed => [keyOf({ kind: "map", id: map }), { by: "program", id }]),
  );
  return [...ofLinks, ...ofPrograms];
}

function mapReferences(places: readonly (MapPlace | ElementPlace)[]): readonly Keyed[] {
  return places.map(({ program, map }) => [keyOf({ kind: "program", id: program }), { by: "map", id: map }]);
}

type Keyed = readonly [key: string, reference: Reference];

function joined(references: readonly Keyed[]): References {
  const byObject = new Map<string, Reference[]>();
  for (const [key, reference] of references) {
    const known = byObject.get(key);
    if (known === undefined) byObject.set(key, [reference]);
    else known.push(reference);
  }
  return byObject;
}

function scanner() {
  const status = readSmall("/proc/self/status") ?? "";
  return { uid: process.geteuid?.() ?? -1, status, userNamespace: namespaceOf("self", "user") };
}

function structOpsOf({ objects }: Listed<MapReport>): StructOps[] {
  const types = new KernelTypes();
  return objects
    .filter(({ type }) => type === "struct_ops")
    .map(({ id, kernelType }) => ({ map: id, structure: kernelType === null ? null : types.structure(kernelType) }));
}
