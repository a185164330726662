import type { LinkReport, MapReport, ProgramReport, StructOps } from "./objects.js";
import type { Place } from "./places.js";
import type { References } from "./references.js";
import type { View } from "./view.js";

/** What is loaded in a kernel. */
export interface Scan {
  /** The kernel's random id of this boot, within which an id names one object; null if it cannot be read. */
  readonly bootId: string | null;
  /** When the machine booted, in nanoseconds since 1970. */
  readonly bootTime: bigint;
  readonly programs: readonly ProgramReport[];
  readonly maps: readonly MapReport[];
  readonly links: readonly LinkReport[];
  readonly structOps: readonly StructOps[];
  /** Where programs are attached, as cgroups, maps and interfaces themselves say. */
  readonly places: readonly Place[];
  /** The inode number of the network namespace of the process that scanned. */
  readonly netns: number;
  /** What keeps the objects loaded, as far as it is visible. */
  readonly references: References;
  /** What was read, and what could not be. */
  readonly views: readonly View[];
}
