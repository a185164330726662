import { openObject } from "../../sys/bpf.js";
import { MapElements } from "../../sys/bpf-objects.js";
import type { MapReport } from "../model/objects.js";
import type { ElementPlace, MapPlace } from "../model/places.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import { objectName } from "../reads/object-results.js";
import { Opened } from "../reads/opened.js";
import type { Reads } from "../reads/reads.js";
import { pairsRead } from "../reads/values.js";
import { attachedPrograms, attachedRead, attachTypes } from "./attached-programs.js";

/** Where the value of an element has the id of a program (struct bpf_devmap_val and bpf_cpumap_val of linux/bpf.h). */
const PROGRAM_AT: Readonly<Record<string, number>> = { prog_array: 0, devmap: 4, devmap_hash: 4, cpumap: 4 };

/** The attach types of maps of sockets (sock_map_prog_lookup of net/core/sock_map.c). */
const OF_SOCKETS = attachTypes("sk_skb_stream_parser", "sk_skb_stream_verdict", "sk_msg_verdict", "sk_skb_verdict");

/** Maximum number of elements that are read of all maps together. */
const MAX_ELEMENTS = 1_000_000;

export interface MapPlaces {
  readonly places: readonly (MapPlace | ElementPlace)[];
  readonly view: View;
}

/** The programs in values of maps, and those that are attached to maps of sockets. */
export function mapPlaces(reads: Reads, maps: readonly MapReport[]): MapPlaces {
  const places: (MapPlace | ElementPlace)[] = [];
  let left = MAX_ELEMENTS;
  for (const map of maps) {
    const ofSockets = map.type === "sockmap" || map.type === "sockhash";
    const at = PROGRAM_AT[map.type];
    if (!ofSockets && (at === undefined || at + 4 > map.valueSize)) continue;
    const object = new Opened(() => openObject("map", map.id));
    if (ofSockets) places.push(...attachedTo(reads, object, map.id));
    else if (at !== undefined) places.push(...elementsOf(reads, object, map, at, left));
    if (!ofSockets) left = Math.max(0, left - map.maxEntries);
    object.close();
  }
  const name = "programs in maps";
  const view = left > 0 ? completeView(name) : incompleteView(name, `only ${MAX_ELEMENTS} elements were read`);
  return { places, view };
}

function attachedTo(reads: Reads, object: Opened, map: number): MapPlace[] {
  const name = `${objectName("map", map)}/attached`;
  const found = attachedRead(reads, name, () => object.use((fd) => attachedPrograms(fd, OF_SOCKETS)));
  return typeof found === "number" ? [] : found.map((one) => ({ ...one, at: "map", map }) as const);
}

/** The id of the program that an element of a map has by now; 0 if it has none. */
export function elementProgram(fd: number, { type, valueSize }: MapReport, index: number): number {
  const elements = new MapElements(fd, 4, valueSize);
  new DataView(elements.key.buffer).setUint32(0, index, true);
  const place = PROGRAM_AT[type];
  if (place === undefined || elements.lookUp() !== 0) return 0;
  return new DataView(elements.value.buffer).getUint32(place, true);
}

/** Elements that are not set have no value, or 0. */
function elementsOf(reads: Reads, object: Opened, map: MapReport, place: number, most: number): ElementPlace[] {
  const { id, type, valueSize } = map;
  const count = Math.min(map.maxEntries, most);
  const found = pairsRead(reads, `${objectName("map", id)}/programs`, () =>
    object.use((fd) => {
      const pairs: (readonly [index: number, program: number])[] = [];
      const elements = new MapElements(fd, 4, valueSize);
      const [key, value] = [elements.key, elements.value].map(({ buffer }) => new DataView(buffer));
      for (let at = 0; at < count; at += 1) {
        // the keys of a hash are any numbers
        if (type !== "devmap_hash") key!.setUint32(0, at, true);
        else if (elements.advance(at === 0 ? "first" : "key") !== 0) break;
        const index = key!.getUint32(0, true);
        const program = elements.lookUp() === 0 ? value!.getUint32(place, true) : 0;
        if (program !== 0) pairs.push([index, program]);
      }
      return pairs;
    }),
  );
  return typeof found === "number"
    ? []
    : found.map(([index, program]) => ({ program, at: "element", map: id, index }) as const);
}
