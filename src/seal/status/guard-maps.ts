import { ERRNO } from "../../errno.js";
import { elementAt } from "../../sys/bpf.js";
import { closeMap, mapReportById, nextMapId, openMap } from "../../sys/bpf-maps.js";

/** GUARD_STATUS and GUARD_EVENTS of guard/interface.h. */
export const STATUS_MAP = "guard_status";
export const EVENTS_MAP = "guard_events";
/** BPF_MAP_TYPE_ARRAY. */
const ARRAY = 2;

/** What the guard's maps for user space are called, and how large their elements are. */
export type MapSizes = Readonly<Record<string, number>>;

/**
 * The ids of maps of the guard, by name; without those that are not there. Anyone who may create maps can give one such
 * a name: the guard's own is one that nobody may open for writing once it is sealed, and before that the first one.
 * Each other map of the guard that is looked at is a denial that the guard records, so that this ends as soon as it
 * can.
 */
export function guardMaps(sizes: MapSizes): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  const found = new Map<string, number>();
  const isComplete = () => Object.keys(sizes).every((name) => found.has(name));
  for (let id = nextMapId(0); id > 0 && !isComplete(); id = nextMapId(id)) {
    const report = mapReportById(id);
    if (typeof report === "number" || found.has(report.name)) continue;
    if (report.type !== ARRAY || sizes[report.name] !== report.valueSize) continue;
    if (!first.has(report.name)) first.set(report.name, id);
    if (isProtected(id)) found.set(report.name, id);
  }
  return new Map([...first, ...found]);
}

/**
 * The version in a guard_status of another size than `size`, of a guard of another version; null if there is none. The
 * version is its first member, whatever its size.
 */
export function otherVersion(size: number): number | null {
  for (let id = nextMapId(0); id > 0; id = nextMapId(id)) {
    const report = mapReportById(id);
    if (typeof report === "number" || report.name !== STATUS_MAP || report.type !== ARRAY) continue;
    if (report.valueSize === size || report.valueSize < 4) continue;
    const [bytes] = elementsOf(id, report.valueSize, 1);
    if (bytes !== undefined) return bytes.readUInt32LE(0);
  }
  return null;
}

function isProtected(id: number): boolean {
  const fd = openMap(id, "read and write");
  if (fd >= 0) closeMap(fd);
  return fd === -ERRNO.EPERM;
}

/** Reads the first elements of a map by its id. Elements that cannot be read are left out. */
export function elementsOf(id: number, size: number, count: number): readonly Buffer[] {
  const fd = openMap(id, "read");
  if (fd < 0) return [];
  try {
    return Array.from({ length: count }, (_, index) => elementAt(fd, index, size)).filter((value) => value !== null);
  } finally {
    closeMap(fd);
  }
}
