import { ERRNO, errorName } from "../../errno.js";
import { type IdKind, nextObjectId, openObject } from "../../sys/bpf.js";
import { type BufferPlace, objectReport } from "../../sys/bpf-objects.js";
import type { LinkReport, MapReport, ProgramReport } from "../model/objects.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import { fdinfoOf, objectName } from "../reads/object-results.js";
import { Opened } from "../reads/opened.js";
import type { Reads } from "../reads/reads.js";
import { invalidArchive } from "../reads/saved-error.js";
import { numbersRead, structureRead, textOf } from "../reads/values.js";
import { LINK_SIZE, linkReport, textPlace } from "./link-report.js";
import { MAP_SIZE, mapReport } from "./map-report.js";
import { PROGRAM_FIELDS, PROGRAM_SIZE, programReport } from "./program-report.js";

/** The objects of one kind, by id, and whether all could be read. */
export interface Listed<T> {
  readonly objects: readonly T[];
  readonly view: View;
  /** The negative errno of the list itself, which then is empty; 0 if it could be read. */
  readonly error: number;
}

export function listPrograms(reads: Reads): Listed<ProgramReport> {
  return list(reads, "program", "programs", readProgram);
}

export function listMaps(reads: Reads): Listed<MapReport> {
  return list(reads, "map", "maps", readMap);
}

export function listLinks(reads: Reads): Listed<LinkReport> {
  return list(reads, "link", "links", readLink);
}

/** A program, map or link by its id, also one that no list has; null if it cannot be opened. */
export function programById(reads: Reads, id: number): ProgramReport | null {
  return byId(reads, "program", id, readProgram);
}

export function mapById(reads: Reads, id: number): MapReport | null {
  return byId(reads, "map", id, readMap);
}

export function linkById(reads: Reads, id: number): LinkReport | null {
  return byId(reads, "link", id, readLink);
}

function byId<T>(reads: Reads, kind: IdKind, id: number, read: ReadObject<T>): T | null {
  const object = new Opened(() => openObject(kind, id));
  const report = read(reads, objectName(kind, id), object);
  object.close();
  return typeof report === "number" ? null : report;
}

/** Reads one object; `name` is that of its results. Returns a negative errno on failure. */
type ReadObject<T> = (reads: Reads, name: string, object: Opened) => T | number;

/** All objects of a kind that exist from the beginning to the end of the list. */
function list<T extends object>(reads: Reads, kind: IdKind, name: string, read: ReadObject<T>): Listed<T> {
  const objects: T[] = [];
  const failed: string[] = [];
  const { ids, error } = idsOf(reads, kind);
  if (error !== 0) failed.push(`the kernel ends the list with ${errorName(-error)}`);
  for (const id of ids) {
    const object = new Opened(() => openObject(kind, id));
    const report = read(reads, objectName(kind, id), object);
    object.close();
    // an object can go between the list and its opening
    if (report === -ERRNO.ENOENT) continue;
    if (typeof report === "number") failed.push(`${kind} ${id}: ${errorName(-report)}`);
    else objects.push(report);
  }
  const view = failed.length === 0 ? completeView(name) : incompleteView(name, shortList(failed));
  return { objects, view, error: ids.length === 0 ? error : 0 };
}

/** The ids of a kind, and the negative errno that ended the list; 0 for the end. */
export interface IdList {
  readonly ids: readonly number[];
  readonly error: number;
}

/** Asks for the ids of a kind. The result has the errno at its end. */
export function idsOf(reads: Reads, kind: IdKind): IdList {
  const name = `@bpf/${kind}/ids`;
  const numbers = numbersRead(reads, name, () => {
    const ids: number[] = [];
    let id = nextObjectId(kind, 0);
    for (; id > 0; id = nextObjectId(kind, id)) ids.push(id);
    return [...ids, id === -ERRNO.ENOENT ? 0 : -id];
  });
  if (typeof numbers === "number") return { ids: [], error: numbers };
  const errno = numbers.at(-1);
  if (errno === undefined) throw invalidArchive("has no end", name);
  return { ids: numbers.slice(0, -1), error: errno === 0 ? 0 : -errno };
}

/** Number of failures that a reason names. */
const NAMED = 5;

function shortList(failed: readonly string[]): string {
  const more = failed.length - NAMED;
  return more <= 0 ? failed.join(", ") : `${failed.slice(0, NAMED).join(", ")} and ${more} more`;
}

function readProgram(reads: Reads, name: string, object: Opened): ProgramReport | number {
  const info = structureRead(reads, `${name}/info`, PROGRAM_SIZE, () =>
    object.use((fd) => objectReport(fd, PROGRAM_SIZE)),
  );
  if (typeof info === "number") return info;
  const count = info.getUint32(PROGRAM_FIELDS.nr_map_ids, true);
  if (count === 0) return programReport(info, []);
  const maps = numbersRead(reads, `${name}/maps`, () => object.use((fd) => mapsOf(fd, count)));
  return typeof maps === "number" ? maps : programReport(info, maps);
}

/** The ids of a program's maps. BPF_PROG_BIND_MAP can add one meanwhile. */
function mapsOf(fd: number, room: number): readonly number[] | number {
  const maps = new Uint32Array(room);
  const buffer = new Uint8Array(maps.buffer);
  const place = { address: PROGRAM_FIELDS.map_ids, length: PROGRAM_FIELDS.nr_map_ids, unit: 4, buffer };
  const info = objectReport(fd, PROGRAM_SIZE, [place]);
  if (typeof info === "number") return info;
  const count = info.getUint32(PROGRAM_FIELDS.nr_map_ids, true);
  return count > room ? mapsOf(fd, count) : [...maps.subarray(0, count)];
}

function readMap(reads: Reads, name: string, object: Opened): MapReport | number {
  const info = structureRead(reads, `${name}/info`, MAP_SIZE, () => object.use((fd) => objectReport(fd, MAP_SIZE)));
  if (typeof info === "number") return info;
  const fdinfo = textOf(reads.bytes(`${name}/fdinfo`, () => object.use(fdinfoOf)));
  return mapReport(info, fdinfo);
}

/** PATH_MAX of linux/limits.h: no name of a target is longer. */
const TEXT = 4096;

/** The first report says the type, the second one has the text: its buffer is at a place of the type. */
function readLink(reads: Reads, name: string, object: Opened): LinkReport | number {
  const info = structureRead(reads, `${name}/info`, LINK_SIZE, () => object.use((fd) => objectReport(fd, LINK_SIZE)));
  if (typeof info === "number") return info;
  const place = textPlace(info);
  if (place === null) return linkReport(info, null);
  const again = structureRead(reads, `${name}/named`, LINK_SIZE, () => object.use((fd) => named(fd, place)));
  if (typeof again === "number") return linkReport(info, null);
  return linkReport(again, new Uint8Array(again.buffer, again.byteOffset + LINK_SIZE, again.byteLength - LINK_SIZE));
}

/** A report of {@link LINK_SIZE} bytes, and after it the text of the link up to its NUL. */
function named(fd: number, place: Pick<BufferPlace, "address" | "length">): Uint8Array | number {
  const text = Buffer.alloc(TEXT);
  const info = objectReport(fd, LINK_SIZE, [{ ...place, unit: 1, buffer: text }]);
  if (typeof info === "number") return info;
  const end = text.indexOf(0);
  return Buffer.concat([new Uint8Array(info.buffer), text.subarray(0, end < 0 ? TEXT : end)]);
}
