/**
 * How the gate handles a command of bpf(2).
 *
 * - `load`, `create`: the gate decides on a copy and then makes the call itself, with the copy.
 * - `fetch`: the command returns an fd for a path or an id. The gate opens the object, decides on it, and issues that
 *   fd.
 * - `copy`: hook `bpf` decides on a copy, and the gate then makes the call itself, with the copy. If no attachment
 *   serves hook `bpf`, the command is handled like `pass`. Its attr is described in `commands/copied-commands.ts`.
 * - `pass`: hook `bpf` decides on registers only, which the task can no longer change. The kernel then executes the
 *   call in the task, on fds that were decided on when they were issued.
 * - `token`: the gate cannot make this call for another task.
 */
export type Treatment = "load" | "create" | "copy" | "fetch" | "pass" | "token";

interface Row {
  readonly number: number;
  readonly treatment: Treatment;
  /** For `fetch`: the kind of object, or `path` for BPF_OBJ_GET, which opens any kind. */
  readonly kind?: "program" | "map" | "link" | "path";
  /** For `pass`: the command reads or writes elements of a map. Most calls of most tools do so. */
  readonly mapAccess?: true;
}

const copy = (number: number) => ({ number, treatment: "copy" }) as const;
const pass = (number: number) => ({ number, treatment: "pass" }) as const;
const access = (number: number) => ({ number, treatment: "pass", mapAccess: true }) as const;

/** One row for each command (enum bpf_cmd of linux/bpf.h; a test compares the two). */
const ROWS = {
  BPF_MAP_CREATE: { number: 0, treatment: "create" },
  BPF_MAP_LOOKUP_ELEM: access(1),
  BPF_MAP_UPDATE_ELEM: access(2),
  BPF_MAP_DELETE_ELEM: access(3),
  BPF_MAP_GET_NEXT_KEY: access(4),
  BPF_PROG_LOAD: { number: 5, treatment: "load" },
  BPF_OBJ_PIN: copy(6),
  BPF_OBJ_GET: { number: 7, treatment: "fetch", kind: "path" },
  BPF_PROG_ATTACH: copy(8),
  BPF_PROG_DETACH: copy(9),
  BPF_PROG_TEST_RUN: copy(10),
  BPF_PROG_GET_NEXT_ID: pass(11),
  BPF_MAP_GET_NEXT_ID: pass(12),
  BPF_PROG_GET_FD_BY_ID: { number: 13, treatment: "fetch", kind: "program" },
  BPF_MAP_GET_FD_BY_ID: { number: 14, treatment: "fetch", kind: "map" },
  BPF_OBJ_GET_INFO_BY_FD: pass(15),
  BPF_PROG_QUERY: pass(16),
  BPF_RAW_TRACEPOINT_OPEN: copy(17),
  BPF_BTF_LOAD: copy(18),
  BPF_BTF_GET_FD_BY_ID: pass(19),
  BPF_TASK_FD_QUERY: pass(20),
  BPF_MAP_LOOKUP_AND_DELETE_ELEM: access(21),
  BPF_MAP_FREEZE: pass(22),
  BPF_BTF_GET_NEXT_ID: pass(23),
  BPF_MAP_LOOKUP_BATCH: access(24),
  BPF_MAP_LOOKUP_AND_DELETE_BATCH: access(25),
  BPF_MAP_UPDATE_BATCH: access(26),
  BPF_MAP_DELETE_BATCH: access(27),
  BPF_LINK_CREATE: copy(28),
  BPF_LINK_UPDATE: copy(29),
  BPF_LINK_GET_FD_BY_ID: { number: 30, treatment: "fetch", kind: "link" },
  BPF_LINK_GET_NEXT_ID: pass(31),
  BPF_ENABLE_STATS: pass(32),
  BPF_ITER_CREATE: pass(33),
  BPF_LINK_DETACH: pass(34),
  BPF_PROG_BIND_MAP: pass(35),
  BPF_TOKEN_CREATE: { number: 36, treatment: "token" },
  BPF_PROG_STREAM_READ_BY_FD: pass(37),
} as const satisfies Readonly<Record<string, Row>>;

export type CommandName = keyof typeof ROWS;
/** The commands with treatment `copy`. */
export type CopiedName = {
  [N in CommandName]: (typeof ROWS)[N]["treatment"] extends "copy" ? N : never;
}[CommandName];

export type Command = Row &
  (
    | { readonly name: CopiedName; readonly treatment: "copy" }
    | { readonly name: CommandName; readonly treatment: Exclude<Treatment, "copy"> }
  );

/** All commands, in the order of their numbers. */
export const COMMANDS: readonly Command[] = Object.entries(ROWS)
  .map(([name, row]) => ({ name, ...row }) as Command)
  .sort((a, b) => a.number - b.number);

/** Numbers of commands by name. */
export const CMD = Object.fromEntries(COMMANDS.map(({ name, number }) => [name, number])) as Readonly<
  Record<CommandName, number>
>;

const BY_NUMBER: ReadonlyMap<number, Command> = new Map(COMMANDS.map((command) => [command.number, command]));

/** The row of a command; null for a command that the gate does not know, such as one with a high bit set. */
export function commandRow(cmd: number): Command | null {
  return BY_NUMBER.get(cmd) ?? null;
}
