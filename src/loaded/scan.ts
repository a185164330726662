import { bootTime } from "../sys/bpf-objects.js";
import { readSmall } from "../sys/file.js";
import { namespaceOf } from "../sys/namespace.js";
import type { LinkReport, MapReport, ProgramReport, StructOps } from "./model/objects.js";
import type { View } from "./model/view.js";
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
  return {
    bootTime: bootTime(),
    programs: programs.objects,
    maps: maps.objects,
    links: links.objects,
    structOps: structOpsOf(maps),
    views: [programs.view, maps.view, links.view],
  };
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
