import { openObject } from "../../sys/bpf.js";
import { objectReport } from "../../sys/bpf-objects.js";
import { objectName } from "../reads/object-results.js";
import { Opened } from "../reads/opened.js";
import type { Reads } from "../reads/reads.js";
import { structureRead } from "../reads/values.js";
import { MAP_FIELDS, MAP_SIZE } from "./map-report.js";

/** The types of a map's keys and values in the BTF of the map: 0 for none. */
export interface MapTypes {
  readonly key: number;
  readonly value: number;
}

/** Reads the types of a map; none if it cannot be read. */
export function mapTypes(reads: Reads, id: number): MapTypes {
  const map = new Opened(() => openObject("map", id));
  const info = structureRead(reads, `${objectName("map", id)}/info`, MAP_SIZE, () =>
    map.use((fd) => objectReport(fd, MAP_SIZE)),
  );
  map.close();
  if (typeof info === "number") return { key: 0, value: 0 };
  const word = (name: "btf_key_type_id" | "btf_value_type_id") => info.getUint32(MAP_FIELDS[name], true);
  return { key: word("btf_key_type_id"), value: word("btf_value_type_id") };
}
