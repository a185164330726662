import { MAP_TYPES } from "../../bpf/tables/names.gen.js";
import type { MapReport } from "../model/objects.js";
import { deviceAt, idAt, nameAt } from "./report-fields.js";

/** Byte offsets in struct bpf_map_info. A test compares each with linux/bpf.h. */
export const MAP_FIELDS = {
  type: 0,
  id: 4,
  key_size: 8,
  value_size: 12,
  max_entries: 16,
  map_flags: 20,
  name: 24,
  ifindex: 40,
  btf_vmlinux_value_type_id: 44,
  netns_ino: 56,
  btf_id: 64,
  btf_key_type_id: 68,
  btf_value_type_id: 72,
  btf_vmlinux_id: 76,
} as const;

/** sizeof(struct bpf_map_info) of Linux 6.1 to 6.17: what later kernels add is not read. */
export const MAP_SIZE = 88;

/** Reads a report of {@link MAP_SIZE} bytes. `fdinfo` is the text of /proc/self/fdinfo for the map; null if unknown. */
export function mapReport(info: DataView, fdinfo: string | null): MapReport {
  const word = (name: keyof typeof MAP_FIELDS) => info.getUint32(MAP_FIELDS[name], true);
  const kernelType = word("btf_vmlinux_value_type_id");
  const frozen = /^frozen:\t([01])$/m.exec(fdinfo ?? "")?.[1];
  return {
    id: word("id"),
    type: MAP_TYPES[word("type")] ?? "unknown",
    name: nameAt(info, MAP_FIELDS.name),
    keySize: word("key_size"),
    valueSize: word("value_size"),
    maxEntries: word("max_entries"),
    flags: word("map_flags"),
    frozen: frozen === undefined ? null : frozen === "1",
    btfId: idAt(info, MAP_FIELDS.btf_id),
    kernelType: kernelType === 0 ? null : { btfObject: word("btf_vmlinux_id"), btfId: kernelType },
    device: deviceAt(info, MAP_FIELDS.ifindex, MAP_FIELDS.netns_ino),
  };
}
