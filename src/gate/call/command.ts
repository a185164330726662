import { COMMAND_NAMES, type CommandName } from "../../bpf/model/commands.js";

/**
 * How the gate handles a command of bpf(2).
 *
 * - `load`, `create`: the gate decides on a copy and then makes the call itself, with the copy.
 * - `fetch`: the command returns an fd for a path or an id. The gate opens the object, decides on it, and issues that
 *   fd.
 * - `list`: the command names the next id in use. The gate names only ids of objects that it handed out here.
 * - `copy`: hook `bpf` decides on a copy, and the gate then makes the call itself, with the copy. If no attachment
 *   serves hook `bpf`, the command is handled like `pass`. Its attr is described in `commands/copied-commands.ts`.
 * - `pass`: hook `bpf` decides on registers only, which the task can no longer change. The kernel then executes the
 *   call in the task, on fds that were decided on when they were issued.
 * - `token`: the gate cannot make this call for another task.
 */
export type Treatment = "load" | "create" | "copy" | "fetch" | "list" | "pass" | "token";

interface Row {
  readonly treatment: Treatment;
  /** For `fetch` and `list`: the kind of object, or `path` for BPF_OBJ_GET, which opens any kind. */
  readonly kind?: "program" | "map" | "link" | "path";
  /** For `pass`: the command reads or writes elements of a map. Most calls of most tools do so. */
  readonly mapAccess?: true;
}

const COPY = { treatment: "copy" } as const;
const PASS = { treatment: "pass" } as const;
const ACCESS = { treatment: "pass", mapAccess: true } as const;

const ROWS = {
  BPF_MAP_CREATE: { treatment: "create" },
  BPF_MAP_LOOKUP_ELEM: ACCESS,
  BPF_MAP_UPDATE_ELEM: ACCESS,
  BPF_MAP_DELETE_ELEM: ACCESS,
  BPF_MAP_GET_NEXT_KEY: ACCESS,
  BPF_PROG_LOAD: { treatment: "load" },
  BPF_OBJ_PIN: COPY,
  BPF_OBJ_GET: { treatment: "fetch", kind: "path" },
  BPF_PROG_ATTACH: COPY,
  BPF_PROG_DETACH: COPY,
  BPF_PROG_TEST_RUN: COPY,
  BPF_PROG_GET_NEXT_ID: { treatment: "list", kind: "program" },
  BPF_MAP_GET_NEXT_ID: { treatment: "list", kind: "map" },
  BPF_PROG_GET_FD_BY_ID: { treatment: "fetch", kind: "program" },
  BPF_MAP_GET_FD_BY_ID: { treatment: "fetch", kind: "map" },
  BPF_OBJ_GET_INFO_BY_FD: PASS,
  BPF_PROG_QUERY: PASS,
  BPF_RAW_TRACEPOINT_OPEN: COPY,
  BPF_BTF_LOAD: COPY,
  BPF_BTF_GET_FD_BY_ID: PASS,
  BPF_TASK_FD_QUERY: PASS,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM: ACCESS,
  BPF_MAP_FREEZE: PASS,
  BPF_BTF_GET_NEXT_ID: PASS,
  BPF_MAP_LOOKUP_BATCH: ACCESS,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH: ACCESS,
  BPF_MAP_UPDATE_BATCH: ACCESS,
  BPF_MAP_DELETE_BATCH: ACCESS,
  BPF_LINK_CREATE: COPY,
  BPF_LINK_UPDATE: COPY,
  BPF_LINK_GET_FD_BY_ID: { treatment: "fetch", kind: "link" },
  BPF_LINK_GET_NEXT_ID: { treatment: "list", kind: "link" },
  BPF_ENABLE_STATS: PASS,
  BPF_ITER_CREATE: PASS,
  BPF_LINK_DETACH: PASS,
  BPF_PROG_BIND_MAP: PASS,
  BPF_TOKEN_CREATE: { treatment: "token" },
  BPF_PROG_STREAM_READ_BY_FD: PASS,
} as const satisfies Readonly<Record<CommandName, Row>>;

/** The kinds of objects whose ids are listed. */
export type ListedKind = "program" | "map" | "link";

/** The commands with treatment `copy`. */
export type CopiedName = {
  [N in CommandName]: (typeof ROWS)[N]["treatment"] extends "copy" ? N : never;
}[CommandName];

export type Command = Row & { readonly number: number } & (
    | { readonly name: CopiedName; readonly treatment: "copy" }
    | { readonly name: CommandName; readonly treatment: "list"; readonly kind: ListedKind }
    | { readonly name: CommandName; readonly treatment: Exclude<Treatment, "copy" | "list"> }
  );

/** All commands, in the order of their numbers. */
export const COMMANDS: readonly Command[] = COMMAND_NAMES.map((name, number) => {
  return { name, number, ...ROWS[name] } as Command;
});

/** The row of a command; null for a command that the gate does not know, such as one with a high bit set. */
export function commandRow(cmd: number): Command | null {
  return COMMANDS[cmd] ?? null;
}
