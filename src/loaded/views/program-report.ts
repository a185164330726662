import { programTypeName } from "../../bpf/object/section.js";
import type { ProgramReport } from "../model/objects.js";
import { deviceAt, idAt, nameAt } from "./report-fields.js";

/** Byte offsets in struct bpf_prog_info. A test compares each with linux/bpf.h. */
export const PROGRAM_FIELDS = {
  type: 0,
  id: 4,
  tag: 8,
  jited_prog_len: 16,
  xlated_prog_len: 20,
  jited_prog_insns: 24,
  xlated_prog_insns: 32,
  load_time: 40,
  created_by_uid: 48,
  nr_map_ids: 52,
  map_ids: 56,
  name: 64,
  ifindex: 80,
  netns_ino: 96,
  nr_jited_ksyms: 104,
  nr_jited_func_lens: 108,
  jited_ksyms: 112,
  jited_func_lens: 120,
  btf_id: 128,
  func_info_rec_size: 132,
  func_info: 136,
  nr_func_info: 144,
  nr_line_info: 148,
  line_info: 152,
  jited_line_info: 160,
  nr_jited_line_info: 168,
  line_info_rec_size: 172,
  jited_line_info_rec_size: 176,
  nr_prog_tags: 180,
  prog_tags: 184,
  run_time_ns: 192,
  run_cnt: 200,
  verified_insns: 216,
  attach_btf_obj_id: 220,
  attach_btf_id: 224,
} as const;
/** gpl_compatible, the first bit of the word after ifindex. */
const GPL = 84;

/** sizeof(struct bpf_prog_info) of Linux 6.1 to 7.2. */
export const PROGRAM_SIZE = 232;

/** Reads a report of {@link PROGRAM_SIZE} bytes. `maps` are the ids of its maps. */
export function programReport(info: DataView, maps: readonly number[]): ProgramReport {
  const word = (name: keyof typeof PROGRAM_FIELDS) => info.getUint32(PROGRAM_FIELDS[name], true);
  const long = (name: keyof typeof PROGRAM_FIELDS) => info.getBigUint64(PROGRAM_FIELDS[name], true);
  const attachTo = word("attach_btf_id");
  return {
    id: word("id"),
    type: programTypeName(word("type")),
    name: nameAt(info, PROGRAM_FIELDS.name),
    tag: Buffer.from(info.buffer, info.byteOffset + PROGRAM_FIELDS.tag, 8).toString("hex"),
    loadTime: long("load_time"),
    uid: word("created_by_uid"),
    gplCompatible: (info.getUint32(GPL, true) & 1) === 1,
    maps: maps,
    btfId: idAt(info, PROGRAM_FIELDS.btf_id),
    loadedFor: attachTo === 0 ? null : { btfObject: word("attach_btf_obj_id"), btfId: attachTo },
    translated: word("xlated_prog_len"),
    jited: word("jited_prog_len"),
    verifiedInsns: word("verified_insns"),
    runs: { count: long("run_cnt"), nanoseconds: long("run_time_ns") },
    device: deviceAt(info, PROGRAM_FIELDS.ifindex, PROGRAM_FIELDS.netns_ino),
  };
}
