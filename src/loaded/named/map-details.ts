import { ERRNO, errorName } from "../../errno.js";
import { elementSize, mapContents, possibleProcessors } from "../code/map-contents.js";
import type { MapReport } from "../model/objects.js";
import type { Reads } from "../reads/reads.js";
import type { KernelTypes } from "../views/kernel-types.js";
import { mapTypes } from "../views/map-types.js";
import { typeText } from "./type-text.js";

/** What one map has besides the kernel's report. */
export interface MapDetails {
  /** The types of its keys and values in C; null if its BTF does not say them. */
  readonly keyType: string | null;
  readonly valueType: string | null;
  /** Number of its elements; null if they were not all read, or cannot be. */
  readonly elements: number | null;
  /** Why the number is not known, as a clause; null if it is. */
  readonly reason: string | null;
}

export function mapDetails(reads: Reads, map: MapReport, types: KernelTypes): MapDetails {
  const btf = map.btfId === null ? null : types.btf(map.btfId);
  const { key, value } = mapTypes(reads, map.id);
  const processors = possibleProcessors(reads);
  const contents = mapContents(reads, map, processors);
  const isRead = typeof contents !== "number";
  return {
    keyType: btf === null ? null : typeText(btf, key),
    valueType: btf === null ? null : typeText(btf, value),
    elements: isRead ? contents.byteLength / elementSize(map, processors) : null,
    reason: isRead ? null : (REASONS[-contents] ?? `its elements cannot be read (${errorName(-contents)})`),
  };
}

const REASONS: Readonly<Record<number, string>> = {
  [ERRNO.E2BIG]: "it has more than 131,072 elements or 4 MiB, which are not read",
  [ERRNO.EOPNOTSUPP]: "the kernel does not show elements of this type of map",
};
