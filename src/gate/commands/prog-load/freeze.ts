import { verdictName } from "../../../errno.js";
import { isFrozen, mapInfo } from "../../../sys/bpf.js";
import { freeze } from "../../../sys/map.js";
import { deny } from "../../call/failure.js";
import { isReadOnly } from "../objects/map-subject.js";
import type { LiveLoad } from "./live-load.js";

/**
 * Freezes the read-only maps of a load (BPF_F_RDONLY_PROG), as libbpf does for .rodata: user space can then no longer
 * write to them through any fd. Returns the number of maps that it froze. The call is denied if a map cannot be frozen.
 */
export function freezeMaps(load: LiveLoad): number {
  let frozen = 0;
  for (const fd of new Set(load.maps.values())) {
    const info = mapInfo(fd);
    if (typeof info === "number" || !isReadOnly(info) || isFrozen(fd)) continue;
    const result = freeze(fd);
    if (result < 0) deny("freeze", `its map \`${info.name}\` could not be frozen: ${verdictName(result)}`);
    frozen += 1;
  }
  return frozen;
}
