import { ERRNO, errorName } from "../../errno.js";
import { type IdKind, nextObjectId, openObject } from "../../sys/bpf.js";
import { type BufferPlace, objectReport } from "../../sys/bpf-objects.js";
import { readSmall } from "../../sys/file.js";
import { syscall } from "../../sys/libc.js";
import { NR } from "../../sys/numbers.js";
import type { LinkReport, MapReport, ProgramReport } from "../model/objects.js";
import { completeView, incompleteView, type View } from "../model/view.js";
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

export function listPrograms(): Listed<ProgramReport> {
  return list("program", "programs", readProgram);
}

export function listMaps(): Listed<MapReport> {
  return list("map", "maps", readMap);
}

export function listLinks(): Listed<LinkReport> {
  return list("link", "links", readLink);
}

/** All objects of a kind that exist from the beginning to the end of the list. `read` returns a negative errno. */
function list<T extends object>(kind: IdKind, name: string, read: (fd: number) => T | number): Listed<T> {
  const objects: T[] = [];
  const failed: string[] = [];
  let id = nextObjectId(kind, 0);
  for (; id > 0; id = nextObjectId(kind, id)) {
    const fd = openObject(kind, id);
    // an object can go between the list and its opening
    if (fd === -ERRNO.ENOENT) continue;
    const report = fd < 0 ? fd : read(fd);
    if (fd >= 0) syscall(NR.close, fd);
    if (typeof report === "number") failed.push(`${kind} ${id}: ${errorName(-report)}`);
    else objects.push(report);
  }
  const error = id === -ERRNO.ENOENT ? 0 : id;
  if (error !== 0) failed.unshift(`the kernel ends the list with ${errorName(-error)}`);
  const view = failed.length === 0 ? completeView(name) : incompleteView(name, shortList(failed));
  return { objects, view, error: objects.length === 0 ? error : 0 };
}

/** Number of failures that a reason names. */
const NAMED = 5;

function shortList(failed: readonly string[]): string {
  const more = failed.length - NAMED;
  return more <= 0 ? failed.join(", ") : `${failed.slice(0, NAMED).join(", ")} and ${more} more`;
}

/** MAX_USED_MAPS of linux/bpf_verifier.h. BPF_PROG_BIND_MAP can add more. */
const MAPS = 64;

function readProgram(fd: number, room = MAPS): ProgramReport | number {
  const maps = new Uint32Array(room);
  const place = { address: PROGRAM_FIELDS.map_ids, length: PROGRAM_FIELDS.nr_map_ids, unit: 4, buffer: bytesOf(maps) };
  const info = objectReport(fd, PROGRAM_SIZE, [place]);
  if (typeof info === "number") return info;
  const count = info.getUint32(PROGRAM_FIELDS.nr_map_ids, true);
  return count > room ? readProgram(fd, count) : programReport(info, maps);
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function readMap(fd: number): MapReport | number {
  const info = objectReport(fd, MAP_SIZE);
  return typeof info === "number" ? info : mapReport(info, readSmall(`/proc/thread-self/fdinfo/${fd}`));
}

/** PATH_MAX of linux/limits.h: no name of a target is longer. */
const TEXT = 4096;

/** The first report says the type, the second one has the text: its buffer is at a place of the type. */
function readLink(fd: number): LinkReport | number {
  const info = objectReport(fd, LINK_SIZE);
  if (typeof info === "number") return info;
  const place = textPlace(info);
  if (place === null) return linkReport(info, null);
  const buffer = new Uint8Array(TEXT);
  const places: readonly BufferPlace[] = [{ ...place, unit: 1, buffer }];
  const again = objectReport(fd, LINK_SIZE, places);
  return typeof again === "number" ? linkReport(info, null) : linkReport(again, buffer);
}
