import { verdictName } from "../../errno.js";
import { isReadOnly } from "../commands/subject.js";
import { bpf, isFrozen, mapInfo } from "../sys/bpf.js";
import type { LiveLoad } from "./load.js";

/** BPF_MAP_FREEZE: map_fd 0. */
const MAP_FREEZE = 22;

/**
 * Freezes the maps of a load that its program only reads, as libbpf freezes .rodata by itself: user space cannot write to them any more, by
 * any of its fds. How many it froze, or in one line why one cannot be.
 */
export function freezeMaps(load: LiveLoad): number | string {
  let frozen = 0;
  for (const fd of new Set(load.maps.values())) {
    const info = mapInfo(fd);
    if (typeof info === "number" || !isReadOnly(info) || isFrozen(fd)) continue;
    const result = bpf(MAP_FREEZE, new Uint8Array(Uint32Array.of(fd).buffer));
    // EPERM where the task's fd does not let it be written, EBUSY where it is just being written to
    if (result < 0) return `its map \`${info.name}\` could not be frozen: ${verdictName(result)}`;
    frozen += 1;
  }
  return frozen;
}
