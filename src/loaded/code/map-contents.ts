import { ERRNO } from "../../errno.js";
import { openObject } from "../../sys/bpf.js";
import { MapElements } from "../../sys/bpf-objects.js";
import type { MapReport } from "../model/objects.js";
import { objectName } from "../reads/object-results.js";
import { Opened } from "../reads/opened.js";
import type { Raw, Reads } from "../reads/reads.js";
import { textRead } from "../reads/values.js";

/** Maximum size in bytes of the contents of one map. A larger map has none. */
const MAX_CONTENTS = 4 * 1024 * 1024;
/** Maximum number of elements of one map: each is a system call or two. */
const MAX_ELEMENTS = 128 * 1024;

/** Maps whose keys are numbers from 0 to the number of their elements. */
const ARRAYS: ReadonlySet<string> = new Set(["array", "percpu_array", "prog_array", "array_of_maps", "struct_ops"]);

/** Maps that have a value for each processor. */
const OF_PROCESSORS: ReadonlySet<string> = new Set([
  "percpu_hash",
  "percpu_array",
  "lru_percpu_hash",
  "percpu_cgroup_storage",
]);

/**
 * The elements of a map one after the other: the key, and the value as the kernel copies it, with 8-byte steps for each
 * processor if it has a value for each. Maps of maps and of programs have ids as values. Elements that change meanwhile
 * may be there in part. E2BIG for a map that is too large, and the errno of reading for one that has no elements to
 * read.
 */
export function mapContents(reads: Reads, map: MapReport, processors: number): Raw {
  return reads.bytes(`${objectName("map", map.id)}/contents`, () => {
    const object = new Opened(() => openObject("map", map.id));
    const contents = object.use((fd) => contentsOf(fd, map, processors));
    object.close();
    return contents;
  });
}

/** The number of processors that the kernel keeps values for, from a list such as `0-3,8`; at least 1. */
export function possibleProcessors(reads: Reads): number {
  const list = textRead(reads, "/sys/devices/system/cpu/possible") ?? "";
  const numbers = Array.from(list.matchAll(/\d+/g), ([number]) => Number(number));
  return Math.max(0, ...numbers) + 1;
}

/** Size in bytes of one element in {@link mapContents}. */
export function elementSize(map: MapReport, processors: number): number {
  return map.keySize + copiedSize(map, processors);
}

/** Size in bytes of a value as the kernel copies it. */
function copiedSize({ type, valueSize }: MapReport, processors: number): number {
  return OF_PROCESSORS.has(type) ? Math.ceil(valueSize / 8) * 8 * processors : valueSize;
}

function contentsOf(fd: number, map: MapReport, processors: number): Raw {
  const { keySize, maxEntries, type } = map;
  const valueSize = copiedSize(map, processors);
  const isArray = ARRAYS.has(type);
  if (keySize === 0) return -ERRNO.EOPNOTSUPP;
  if (isArray && (maxEntries > MAX_ELEMENTS || maxEntries * (keySize + valueSize) > MAX_CONTENTS)) return -ERRNO.E2BIG;
  const elements = new MapElements(fd, keySize, valueSize);
  const contents: Uint8Array[] = [];
  let size = 0;
  let error = elements.advance("first");
  // a map from which others delete can begin again
  for (let count = 0; error === 0; count += 1) {
    if (count >= MAX_ELEMENTS) return -ERRNO.E2BIG;
    const found = elements.lookUp();
    if (found === 0) {
      contents.push(elements.key.slice(), elements.value.slice(0, valueSize));
      size += keySize + valueSize;
    } else if (found !== -ERRNO.ENOENT) return found;
    if (size > MAX_CONTENTS) return -ERRNO.E2BIG;
    error = elements.advance("key");
  }
  return error === -ERRNO.ENOENT ? Buffer.concat(contents) : error;
}
