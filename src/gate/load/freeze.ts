import { verdictName } from "../../errno.js";
import { isReadOnly } from "../commands/map-subject.js";
import { isFrozen, mapInfo } from "../sys/bpf.js";
import { freeze } from "../sys/map.js";
import type { LiveLoad } from "./load.js";

/**
 * Freezes the maps of a load that its program only reads, as libbpf freezes .rodata by itself: user space cannot write to them any more, by
 * any of its fds. How many it froze, or in one line why one cannot be.
 */
export function freezeMaps(load: LiveLoad): number | string {
  let frozen = 0;
  for (const fd of new Set(load.maps.values())) {
    const info = mapInfo(fd);
    if (typeof info === "number" || !isReadOnly(info) || isFrozen(fd)) continue;
    const result = freeze(fd);
    if (result < 0) return `its map \`${info.name}\` could not be frozen: ${verdictName(result)}`;
    frozen += 1;
  }
  return frozen;
}
