import type { LinkReport, MapReport, ProgramReport, StructOps } from "../../loaded/model/objects.js";
import type { Place } from "../../loaded/model/places.js";
import { keyOf, type ObjectName, type Reference } from "../../loaded/model/references.js";
import type { Scan } from "../../loaded/model/scan.js";
import type { ExaminedScan, NamedScan } from "../../loaded/scan.js";
import type { ScanVerdict } from "../loaded/scan-verdicts.js";
import { AttachedPlaces } from "./attached-places.js";
import { comparedLine, hiddenLine } from "./hidden-table.js";

type Details = NamedScan["details"];
type Identified = NonNullable<ExaminedScan["examined"]>["identified"];
type Known = NonNullable<ReturnType<Identified["get"]>>["programs"][number];

/** The lines of `scan --json`, in the form of schema/scan.schema.json. */
export function* scanLines(
  scan: Scan,
  { examined, comparison }: Omit<ExaminedScan, "scan">,
  verdicts: readonly ScanVerdict[] | null,
): Generator<object> {
  yield* objectLines(scan, examined);
  for (const place of scan.places) yield placeLine(place);
  for (const structOps of scan.structOps) yield structOpsLine(structOps);
  for (const verdict of verdicts ?? []) yield { kind: "verdict", ...verdict };
  if (comparison !== null) {
    for (const hidden of comparison.hidden) yield hiddenLine(hidden);
    yield comparedLine(comparison);
  }
  yield { kind: "views", views: scan.views };
}

/** The lines of named objects, of the places of programs among them, and what was read. */
export function* namedLines(
  { scan, examined, details }: NamedScan,
  named: readonly ObjectName[],
  verdicts: readonly ScanVerdict[] | null,
): Generator<object> {
  const names = new Set(named.map(keyOf));
  const isNamed =
    (kind: ObjectName["kind"]) =>
    ({ id }: { readonly id: number }) =>
      names.has(keyOf({ kind, id }));
  const { programs, maps, links } = scan;
  const those = {
    programs: programs.filter(isNamed("program")),
    maps: maps.filter(isNamed("map")),
    links: links.filter(isNamed("link")),
  };
  yield* objectLines(scan, examined, those, details);
  for (const place of scan.places) if (names.has(keyOf({ kind: "program", id: place.program }))) yield placeLine(place);
  for (const each of scan.structOps) if (names.has(keyOf({ kind: "map", id: each.map }))) yield structOpsLine(each);
  for (const verdict of verdicts ?? []) yield { kind: "verdict", ...verdict };
  yield { kind: "views", views: scan.views };
}

function* objectLines(
  scan: Scan,
  examined: ExaminedScan["examined"],
  { programs, maps, links }: Pick<Scan, "programs" | "maps" | "links"> = scan,
  details: Details | null = null,
): Generator<object> {
  const references = (kind: ObjectName["kind"], { id }: { readonly id: number }) => ({
    references: (scan.references.get(keyOf({ kind, id })) ?? []).map(referenceJson),
  });
  const places = new AttachedPlaces(scan);
  for (const program of programs)
    yield {
      ...programLine(program, scan.bootTime),
      ...references("program", program),
      no_view: places.unseen(program),
      ...foundOut(program, examined),
      ...codeJson(details?.programs.get(program.id), examined?.effects.get(program.id)),
    };
  for (const map of maps)
    yield { ...mapLine(map), ...references("map", map), ...contentsJson(details?.maps.get(map.id)) };
  for (const link of links) yield { ...linkLine(link), ...references("link", link) };
}

/** What only a named program has. */
function codeJson(
  code: ReturnType<Details["programs"]["get"]>,
  effects: ReturnType<NonNullable<ExaminedScan["examined"]>["effects"]["get"]>,
): object {
  if (code === undefined) return {};
  const evidence = effects === undefined || effects.effects === null ? [] : effects.evidence;
  return { evidence, instructions: code.insns, instructions_unknown: code.reason };
}

/** What only a named map has. */
function contentsJson(map: ReturnType<Details["maps"]["get"]>): object {
  if (map === undefined) return {};
  const { keyType, valueType, elements, reason } = map;
  return { key_type: keyType, value_type: valueType, elements, elements_unknown: reason };
}

function programLine(program: ProgramReport, bootTime: bigint): object {
  const { id, type, name, tag, uid, gplCompatible, maps, btfId, loadedFor, runs, device } = program;
  return {
    kind: "program",
    ...{ id, type, name, tag, uid },
    loaded_at: loadedAt(program, bootTime).toISOString(),
    gpl_compatible: gplCompatible,
    maps,
    btf_id: btfId,
    loaded_for: loadedFor === null ? null : { btf_object: loadedFor.btfObject, btf_id: loadedFor.btfId },
    translated_bytes: program.translated,
    jited_bytes: program.jited,
    verified_insns: program.verifiedInsns,
    runs: runs.count === 0n ? null : { count: Number(runs.count), nanoseconds: Number(runs.nanoseconds) },
    device: deviceJson(device),
  };
}

/** What was found out about a program; nothing if that was not asked for. */
function foundOut({ id }: ProgramReport, examined: ExaminedScan["examined"]): object {
  if (examined === null) return {};
  const known = examined.identified.get(id) ?? null;
  const { effects = null, unknown = [] } = examined.effects.get(id) ?? {};
  return {
    digest: examined.digests.get(id) ?? null,
    identified:
      known === null
        ? null
        : {
            by: known.by,
            programs: known.programs.map(({ source, file, offset, name, type, attachType, digest, ...of }) => {
              const compared = of.assigned !== null;
              const its = {
                source,
                file,
                offset,
                name,
                type,
                attach_type: attachType,
                digest,
                maps_compared: compared,
              };
              return { ...its, package: packageJson(of.package) };
            }),
          },
    form: formJson(examined.forms.get(id)),
    not_verified: examined.notVerified.get(id) ?? null,
    effects,
    effects_unknown: unknown,
  };
}

function formJson(form: ReturnType<NonNullable<ExaminedScan["examined"]>["forms"]["get"]>): object | null {
  return form === undefined ? null : { tool: form.tool, purpose: form.purpose, attach_type: form.attachType };
}

function packageJson(of: Known["package"]): object | null {
  return of === null ? null : { name: of.name, version: of.version, unchanged: of.isUnchanged };
}

/** When a program was loaded. */
export function loadedAt({ loadTime }: ProgramReport, bootTime: bigint): Date {
  return new Date(Number((bootTime + loadTime) / 1_000_000n));
}

function deviceJson(device: ProgramReport["device"]): object | null {
  return device === null ? null : { ifindex: device.ifindex, netns: String(device.netns) };
}

function mapLine({ id, type, name, keySize, valueSize, maxEntries, flags, frozen, btfId, device }: MapReport): object {
  return {
    kind: "map",
    ...{ id, type, name, key_size: keySize, value_size: valueSize, max_entries: maxEntries, flags, frozen },
    btf_id: btfId,
    device: deviceJson(device),
  };
}

/** 64-bit numbers of a target are decimal digits in a string. */
export function linkLine({ id, type, program, target }: LinkReport): object {
  const fields = Object.entries(target).map(([name, value]) => [name, typeof value === "bigint" ? `${value}` : value]);
  return { kind: "link", id, type, program, target: Object.fromEntries(fields) };
}

export function placeLine(place: Place): object {
  const { program, at } = place;
  const line = { kind: "place", program, at };
  if (place.at === "struct_ops") return { ...line, map: place.map, member: place.member };
  if (place.at === "element") return { ...line, map: place.map, index: place.index };
  if (place.at === "event")
    return { ...line, event: place.event, name: place.name, offset: place.offset, pid: place.pid };
  if (place.at === "action") return { ...line, index: place.index, netns: place.netns };
  const typed = { ...line, attach_type: place.attachType };
  if (place.at === "map") return { ...typed, map: place.map };
  if (place.at === "cgroup") return { ...typed, path: place.path, cgroup_id: String(place.cgroupId) };
  if (place.at === "netns") return { ...typed, netns: place.netns };
  if (place.at === "route") {
    const { destination, name, netns, isCertain } = place;
    return { ...typed, destination, name, netns, certain: isCertain };
  }
  return { ...typed, ifindex: place.ifindex, name: place.name, netns: place.netns };
}

function structOpsLine({ map, structure }: StructOps): object {
  return { kind: "struct_ops", map, structure };
}

export function referenceJson(reference: Reference): object {
  if (reference.by !== "pin") return reference;
  const { by, path, mountNamespace } = reference;
  return { by, path, mount_namespace: mountNamespace };
}
