import { attachmentsOf } from "../../src/loaded/detach/attachment.js";
import { type Removal, removalOf } from "../../src/loaded/detach/removal.js";
import type { LinkReport, LinkTarget, MapReport, ProgramReport } from "../../src/loaded/model/objects.js";
import type { Place } from "../../src/loaded/model/places.js";
import type { ObjectName, Reference } from "../../src/loaded/model/references.js";
import type { Scan } from "../../src/loaded/model/scan.js";

export const NETNS = 4026531840;
export const PROGRAM: ObjectName = { kind: "program", id: 7 };
export const LINK: ObjectName = { kind: "link", id: 9 };

export function program(type: string, parts: Partial<ProgramReport> = {}): ProgramReport {
  return {
    ...{ id: 7, type, name: "limit", tag: "0011223344556677", loadTime: 5n, uid: 0, gplCompatible: true, maps: [] },
    ...{ btfId: null, loadedFor: null, translated: 16, jited: 0, verifiedInsns: 2, device: null },
    ...{ runs: { count: 0n, nanoseconds: 0n }, ...parts },
  };
}

export function map(type: string, id = 4): MapReport {
  return {
    ...{ id, type, name: "buckets", keySize: 4, valueSize: 8, maxEntries: 3, flags: 0, frozen: false, btfId: null },
    ...{ kernelType: null, device: null },
  };
}

export function link(type: string, target: LinkTarget, id = 9): LinkReport {
  return { id, type, program: 7, target };
}

export function pin(path: string, mountNamespace: number | null = null): Reference {
  return { by: "pin", path, mountNamespace };
}

export function scanOf(parts: Partial<Scan>): Scan {
  return {
    ...{ bootId: "one", bootTime: 0n, programs: [], maps: [], links: [], structOps: [], places: [], netns: NETNS },
    ...{ references: new Map(), views: [], ...parts },
  };
}

/** A scan of one program with these places. */
export function placed(type: string, ...places: readonly Place[]): Scan {
  return scanOf({ programs: [program(type)], maps: [map("prog_array"), map("devmap", 5)], places });
}

export function removalsIn(scan: Scan, object = PROGRAM): readonly Removal[] {
  return (attachmentsOf(scan, object) ?? []).map((one) => removalOf(scan, object, one));
}
