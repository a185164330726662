/**
 * How the gate handles each command of bpf(2) (enum bpf_cmd of linux/bpf.h; a test compares the two).
 *
 * - `load`, `create`: the gate decides on a copy and then makes the call itself, with the copy.
 * - `fetch`: the command returns an fd for a path or an id. The gate opens the object, decides on it, and issues that
 *   fd.
 * - `copy`: hook `bpf` decides on a copy, and the gate then makes the call itself, with the copy. If no attachment
 *   serves hook `bpf`, the command is handled like `pass`.
 * - `pass`: hook `bpf` decides on registers only, which the task can no longer change. The kernel then executes the
 *   call in the task, on fds that were decided on when they were issued.
 * - `token`: the gate cannot make this call for another task.
 */
export type Treatment = "load" | "create" | "copy" | "fetch" | "pass" | "token";

export interface CommandRow {
  readonly name: string;
  readonly treatment: Treatment;
  /** For `fetch`: the kind of object, or `path` for BPF_OBJ_GET, which opens any kind. */
  readonly kind?: "program" | "map" | "link" | "path";
  /** For `pass`: the command reads or writes elements of a map. Most calls of most tools do so. */
  readonly mapAccess?: true;
}

const copy = (name: string): CommandRow => ({ name, treatment: "copy" });
const pass = (name: string): CommandRow => ({ name, treatment: "pass" });
const access = (name: string): CommandRow => ({ name, treatment: "pass", mapAccess: true });

/** Indexed by command number. */
export const COMMANDS: readonly CommandRow[] = [
  { name: "BPF_MAP_CREATE", treatment: "create" },
  access("BPF_MAP_LOOKUP_ELEM"),
  access("BPF_MAP_UPDATE_ELEM"),
  access("BPF_MAP_DELETE_ELEM"),
  access("BPF_MAP_GET_NEXT_KEY"),
  { name: "BPF_PROG_LOAD", treatment: "load" },
  copy("BPF_OBJ_PIN"),
  { name: "BPF_OBJ_GET", treatment: "fetch", kind: "path" },
  copy("BPF_PROG_ATTACH"),
  copy("BPF_PROG_DETACH"),
  copy("BPF_PROG_TEST_RUN"),
  pass("BPF_PROG_GET_NEXT_ID"),
  pass("BPF_MAP_GET_NEXT_ID"),
  { name: "BPF_PROG_GET_FD_BY_ID", treatment: "fetch", kind: "program" },
  { name: "BPF_MAP_GET_FD_BY_ID", treatment: "fetch", kind: "map" },
  pass("BPF_OBJ_GET_INFO_BY_FD"),
  pass("BPF_PROG_QUERY"),
  copy("BPF_RAW_TRACEPOINT_OPEN"),
  copy("BPF_BTF_LOAD"),
  pass("BPF_BTF_GET_FD_BY_ID"),
  pass("BPF_TASK_FD_QUERY"),
  access("BPF_MAP_LOOKUP_AND_DELETE_ELEM"),
  pass("BPF_MAP_FREEZE"),
  pass("BPF_BTF_GET_NEXT_ID"),
  access("BPF_MAP_LOOKUP_BATCH"),
  access("BPF_MAP_LOOKUP_AND_DELETE_BATCH"),
  access("BPF_MAP_UPDATE_BATCH"),
  access("BPF_MAP_DELETE_BATCH"),
  copy("BPF_LINK_CREATE"),
  copy("BPF_LINK_UPDATE"),
  { name: "BPF_LINK_GET_FD_BY_ID", treatment: "fetch", kind: "link" },
  pass("BPF_LINK_GET_NEXT_ID"),
  pass("BPF_ENABLE_STATS"),
  pass("BPF_ITER_CREATE"),
  pass("BPF_LINK_DETACH"),
  pass("BPF_PROG_BIND_MAP"),
  { name: "BPF_TOKEN_CREATE", treatment: "token" },
  pass("BPF_PROG_STREAM_READ_BY_FD"),
];

export const CMD = {
  mapCreate: 0,
  progLoad: 5,
  objGet: 7,
  progGetFdById: 13,
  mapGetFdById: 14,
  linkGetFdById: 30,
} as const;

/** The row of a command; null for a command that the gate does not know, such as one with a high bit set. */
export function commandRow(cmd: number): CommandRow | null {
  return COMMANDS[cmd] ?? null;
}
