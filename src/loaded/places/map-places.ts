import { ATTACH_TYPES } from "../../bpf/tables/names.gen.js";
import { openObject } from "../../sys/bpf.js";
import { mapElement, queryPrograms } from "../../sys/bpf-objects.js";
import { syscall } from "../../sys/libc.js";
import { NR } from "../../sys/numbers.js";
import type { MapReport } from "../model/objects.js";
import type { ElementPlace, MapPlace } from "../model/places.js";
import { completeView, incompleteView, type View } from "../model/view.js";

/** Where the value of an element has the id of a program (struct bpf_devmap_val and bpf_cpumap_val of linux/bpf.h). */
const PROGRAM_AT: Readonly<Record<string, number>> = { prog_array: 0, devmap: 4, cpumap: 4 };

/** The attach types of maps of sockets (sock_map_prog_lookup of net/core/sock_map.c). */
const OF_SOCKETS = ["sk_skb_stream_parser", "sk_skb_stream_verdict", "sk_msg_verdict", "sk_skb_verdict"];

/** Maximum number of elements that are read of all maps together. */
const MAX_ELEMENTS = 1_000_000;

export interface MapPlaces {
  readonly places: readonly (MapPlace | ElementPlace)[];
  readonly view: View;
}

/** The programs in values of maps, and those that are attached to maps of sockets. */
export function mapPlaces(maps: readonly MapReport[]): MapPlaces {
  const places: (MapPlace | ElementPlace)[] = [];
  let left = MAX_ELEMENTS;
  for (const map of maps) {
    const ofSockets = map.type === "sockmap" || map.type === "sockhash";
    const at = PROGRAM_AT[map.type];
    if (!ofSockets && (at === undefined || at + 4 > map.valueSize)) continue;
    const fd = openObject("map", map.id);
    if (fd < 0) continue;
    if (ofSockets) places.push(...attachedTo(fd, map.id));
    else if (at !== undefined) places.push(...elementsOf(fd, map, at, left));
    if (!ofSockets) left = Math.max(0, left - map.maxEntries);
    syscall(NR.close, fd);
  }
  const name = "programs in maps";
  const view = left > 0 ? completeView(name) : incompleteView(name, `only ${MAX_ELEMENTS} elements were read`);
  return { places, view };
}

function attachedTo(fd: number, map: number): MapPlace[] {
  return OF_SOCKETS.flatMap((attachType) => {
    const programs = queryPrograms(fd, ATTACH_TYPES.indexOf(attachType));
    return typeof programs === "number"
      ? []
      : programs.map((program) => ({ program, at: "map", attachType, map }) as const);
  });
}

/** Elements that are not set have no value, or 0. */
function elementsOf(fd: number, { id, valueSize, maxEntries }: MapReport, at: number, most: number): ElementPlace[] {
  const found: ElementPlace[] = [];
  for (let index = 0; index < Math.min(maxEntries, most); index += 1) {
    const program = mapElement(fd, index, valueSize)?.getUint32(at, true) ?? 0;
    if (program !== 0) found.push({ program, at: "element", map: id, index });
  }
  return found;
}
