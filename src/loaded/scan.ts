import type { Writable } from "node:stream";
import { CountersignError } from "../error.js";
import { bootTime } from "../sys/bpf-objects.js";
import { type LeftOut, readFurther } from "./code/further-reads.js";
import { ScannedKernel } from "./effects/scanned-kernel.js";
import { type Examined, examine } from "./examine.js";
import { hiddenObjects } from "./hidden/hidden.js";
import type { Comparison } from "./hidden/hidden-object.js";
import type { Patience, TellTried } from "./hidden/tried-ids.js";
import type { KnownSource } from "./identify/known-source.js";
import type { LinkReport, MapReport, ProgramReport, StructOps } from "./model/objects.js";
import type { ElementPlace, MapPlace, StructOpsPlace } from "./model/places.js";
import { keyOf, type ObjectName, type Reference, type References } from "./model/references.js";
import type { Scan } from "./model/scan.js";
import { incompleteView, type View } from "./model/view.js";
import { mountNamespaces } from "./mounts/mount-namespaces.js";
import { type Details, detailsOf } from "./named/details.js";
import { requireLoaded } from "./named/require-loaded.js";
import { cgroupPlaces } from "./places/cgroup-places.js";
import { eventPlaces } from "./places/event-places.js";
import { interfacePlaces } from "./places/interface-places.js";
import { mapPlaces } from "./places/map-places.js";
import { networkNamespaces } from "./places/network-namespaces.js";
import { structOpsPlaces } from "./places/struct-ops-places.js";
import { openArchive } from "./reads/archive.js";
import { ArchiveWriter } from "./reads/archive-writer.js";
import { KERNEL, type Reads } from "./reads/reads.js";
import { invalidArchive } from "./reads/saved-error.js";
import { Saving } from "./reads/saving.js";
import { bigRead, namespaceRead, textRead } from "./reads/values.js";
import { pinReferences } from "./references/pins.js";
import { processReferences, visibleProcesses } from "./references/processes.js";
import type { Approve } from "./verify/verify-programs.js";
import { type Listed, listLinks, listMaps, listPrograms } from "./views/kernel-objects.js";
import type { KernelTypes } from "./views/kernel-types.js";
import { noAccess } from "./views/no-access.js";
import { withTracedFunctions } from "./views/traced-functions.js";

/** A scan, and what was found out about its programs; null if that was not asked for. */
export interface ExaminedScan {
  readonly scan: Scan;
  readonly examined: Examined | null;
  /** What some views of the kernel show and others do not; null if they were not compared. */
  readonly comparison: Comparison | null;
}

/** What is done besides reading what the kernel lists. */
export interface Wanted {
  /** Where programs are known from besides the files of processes; null if nothing is found out about them. */
  readonly sources: readonly KnownSource[] | null;
  /** Loading known programs again, once this has returned; not at all if it is absent or null. Not of an archive. */
  readonly approve?: Approve | null;
  /** Comparing the views, with this much patience; null for not at all. */
  readonly compared: Patience | null;
  /** Is told how far the ids are tried, if the views are compared. */
  readonly tell?: TellTried;
}

const NOTHING: Wanted = { sources: null, compared: null };

/**
 * Reads what the running kernel has loaded. It changes nothing. Objects that come or go meanwhile may be missing.
 * With `approve`, it loads known programs again once that returned ({@link verifiedPrograms}). Throws SCAN_NO_ACCESS if
 * the kernel does not list programs, and what the sources and `approve` throw.
 */
export function presentScan(wanted = NOTHING): Promise<ExaminedScan> {
  return examinedScan(KERNEL, wanted);
}

async function examinedScan(
  reads: Reads,
  { sources, compared, approve = null, tell = () => {} }: Wanted,
): Promise<ExaminedScan> {
  const kernel = new ScannedKernel(reads);
  const scanned = (each: Reads) => scan(each, kernel);
  const found = await scanned(reads);
  const comparison = compared === null ? null : await hiddenObjects(reads, found, kernel, compared, scanned, tell);
  const examined = sources === null ? null : await examine(reads, found, kernel, sources, approve);
  const views = [...found.views, ...(examined?.views ?? []), ...archiveView(reads)];
  return { scan: { ...found, views }, examined, comparison };
}

/** A scan, and what was found out about the objects that were named. Programs of others are not examined. */
export interface NamedScan {
  readonly scan: Scan;
  /** Null if no program is named. */
  readonly examined: Examined | null;
  readonly details: Details;
}

/**
 * Scans, and reads what only these objects have, such as instructions and the number of elements. `archive` is that of
 * a saved scan; null for the running kernel. Throws SCAN_NO_OBJECT for an object that is not loaded, and as
 * {@link presentScan} and {@link archivedScan}.
 */
export function namedScan(
  archive: string | null,
  named: readonly ObjectName[],
  { sources, approve = null }: Wanted,
): Promise<NamedScan> {
  const read = async (reads: Reads): Promise<NamedScan> => {
    const kernel = new ScannedKernel(reads);
    const found = await scan(reads, kernel);
    requireLoaded(found, named);
    const isNamed = ({ id }: ProgramReport) => named.some((one) => one.kind === "program" && one.id === id);
    const programs = found.programs.filter(isNamed);
    const examined =
      programs.length === 0 ? null : await examine(reads, { ...found, programs }, kernel, sources ?? [], approve);
    const details = await detailsOf(reads, found, kernel, named);
    const views = [...found.views, ...(examined?.views ?? []), ...archiveView(reads)];
    return { scan: { ...found, views }, examined, details };
  };
  return archive === null ? read(KERNEL) : readArchive(archive, read);
}

/** A scan that was saved. */
export interface SavedScan extends ExaminedScan {
  /** What the archive does not have because it is too large. */
  readonly leftOut: readonly LeftOut[];
}

/**
 * Scans, and writes an archive with all that the kernel answered while it is read: what the scan needs, and then what
 * other questions may need, such as instructions and contents of maps. Throws as {@link presentScan}, and what writing
 * throws. `out` is ended, or destroyed if this throws.
 */
export async function savedScan(out: Writable, wanted: Wanted): Promise<SavedScan> {
  const archive = new ArchiveWriter(out);
  try {
    const saving = new Saving(archive);
    const found = await examinedScan(saving, wanted);
    const leftOut = await readFurther(saving.further, found.scan);
    await archive.close();
    return { ...found, leftOut };
  } catch (error) {
    await archive.abandon();
    throw error;
  }
}

/**
 * The scan that an archive was saved with, by what is known now. Throws SCAN_ARCHIVE_INVALID, FILE_UNREADABLE,
 * FILE_TOO_LARGE, and what the sources throw.
 */
export function archivedScan(file: string, wanted = NOTHING): Promise<ExaminedScan> {
  return readArchive(file, (archive) => examinedScan(archive, wanted));
}

async function readArchive<T>(file: string, read: (archive: Reads) => Promise<T>): Promise<T> {
  const archive = await openArchive(file);
  try {
    return await read(archive);
  } catch (error) {
    if (error instanceof CountersignError && error.code === "SCAN_ARCHIVE_INVALID") throw error.within(file);
    throw error;
  }
}

async function scan(reads: Reads, { types }: ScannedKernel): Promise<Scan> {
  const programs = listPrograms(reads);
  if (programs.error !== 0)
    throw reads.isLive ? noAccess(programs.error, scanner()) : invalidArchive("has no list of programs");
  const [maps, links] = [listMaps(reads), listLinks(reads)];
  await reads.stored();
  const pids = visibleProcesses(reads);
  const namespaces = mountNamespaces(reads, pids);
  const processes = processReferences(reads, pids);
  await reads.stored();
  const pins = pinReferences(reads, namespaces);
  const networks = networkNamespaces(reads, pids, namespaces, processes.networks);
  const [inMaps, cgroups] = [mapPlaces(reads, maps.objects), cgroupPlaces(reads)];
  await reads.stored();
  const interfaces = interfacePlaces(reads, networks, programs.objects);
  const events = eventPlaces(reads, processes.events);
  const structOps = structOpsPlaces(reads, maps.objects, programs.objects, links.objects, types);
  const boot = bigRead(reads, "@boot/time", bootTime);
  const found = {
    bootId: textRead(reads, "/proc/sys/kernel/random/boot_id")?.trim() || null,
    bootTime: typeof boot === "number" ? 0n : boot,
    programs: programs.objects,
    maps: maps.objects,
    links: withTracedFunctions(links.objects, programs.objects, types),
    structOps: structOpsOf(types, maps),
    places: [...cgroups.places, ...interfaces.places, ...inMaps.places, ...events, ...structOps],
    netns: namespaceRead(reads, "self", "net"),
    references: joined([
      ...[...processes.references, ...pins.references, ...objectReferences(programs, links)],
      ...mapReferences([...inMaps.places, ...structOps]),
    ]),
  };
  const views = [programs.view, maps.view, links.view, processes.view, pins.view];
  await reads.stored();
  return { ...found, views: [...views, inMaps.view, cgroups.view, interfaces.view] };
}

/** What an archive lacks: none of those that a scan of this version wrote. */
function archiveView({ missing }: Reads): readonly View[] {
  const [first] = missing;
  if (first === undefined) return [];
  const more = missing.length === 1 ? "" : ` and ${missing.length - 1} more results`;
  return [incompleteView("archive", `it lacks \`${first}\`${more}`)];
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

function mapReferences(places: readonly (MapPlace | ElementPlace | StructOpsPlace)[]): readonly Keyed[] {
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
  const status = textRead(KERNEL, "/proc/self/status") ?? "";
  return { uid: process.geteuid?.() ?? -1, status, userNamespace: namespaceRead(KERNEL, "self", "user") };
}

function structOpsOf(types: KernelTypes, { objects }: Listed<MapReport>): StructOps[] {
  return objects
    .filter(({ type }) => type === "struct_ops")
    .map(({ id, kernelType }) => ({ map: id, structure: kernelType === null ? null : types.structure(kernelType) }));
}
