import { sha256 } from "../insn/digest.js";

/** The commands of bpf(2) in the order of their numbers, from 0 (enum bpf_cmd of linux/bpf.h; a test compares them). */
export const COMMAND_NAMES = [
  "BPF_MAP_CREATE",
  "BPF_MAP_LOOKUP_ELEM",
  "BPF_MAP_UPDATE_ELEM",
  "BPF_MAP_DELETE_ELEM",
  "BPF_MAP_GET_NEXT_KEY",
  "BPF_PROG_LOAD",
  "BPF_OBJ_PIN",
  "BPF_OBJ_GET",
  "BPF_PROG_ATTACH",
  "BPF_PROG_DETACH",
  "BPF_PROG_TEST_RUN",
  "BPF_PROG_GET_NEXT_ID",
  "BPF_MAP_GET_NEXT_ID",
  "BPF_PROG_GET_FD_BY_ID",
  "BPF_MAP_GET_FD_BY_ID",
  "BPF_OBJ_GET_INFO_BY_FD",
  "BPF_PROG_QUERY",
  "BPF_RAW_TRACEPOINT_OPEN",
  "BPF_BTF_LOAD",
  "BPF_BTF_GET_FD_BY_ID",
  "BPF_TASK_FD_QUERY",
  "BPF_MAP_LOOKUP_AND_DELETE_ELEM",
  "BPF_MAP_FREEZE",
  "BPF_BTF_GET_NEXT_ID",
  "BPF_MAP_LOOKUP_BATCH",
  "BPF_MAP_LOOKUP_AND_DELETE_BATCH",
  "BPF_MAP_UPDATE_BATCH",
  "BPF_MAP_DELETE_BATCH",
  "BPF_LINK_CREATE",
  "BPF_LINK_UPDATE",
  "BPF_LINK_GET_FD_BY_ID",
  "BPF_LINK_GET_NEXT_ID",
  "BPF_ENABLE_STATS",
  "BPF_ITER_CREATE",
  "BPF_LINK_DETACH",
  "BPF_PROG_BIND_MAP",
  "BPF_TOKEN_CREATE",
  "BPF_PROG_STREAM_READ_BY_FD",
] as const;

export type CommandName = (typeof COMMAND_NAMES)[number];

/** Numbers of commands by name. */
export const CMD = Object.fromEntries(COMMAND_NAMES.map((name, number) => [name, number])) as Readonly<
  Record<CommandName, number>
>;

/**
 * The facts of a command or a token with their digest in lower-case hex: for BPF_BTF_LOAD that of the BTF, else the
 * SHA-256 of `text`, which is all facts as JSON with an empty digest.
 */
export function withCommandDigest<F extends Digested>(facts: F, text = JSON.stringify(facts)): F {
  return { ...facts, digest: facts.btf?.sha256 ?? sha256(Buffer.from(text)) };
}

interface Digested {
  readonly digest: string;
  readonly btf?: { readonly sha256: string } | null;
}

/**
 * The subject of hook `bpf_token_create`. It has no facts, because the registers of the call contain none about a
 * token. It is a single frozen object, so that the sandbox builds it only once.
 */
export const TOKEN = Object.freeze(
  withCommandDigest<{ name: CommandName; digest: string }>({ name: "BPF_TOKEN_CREATE", digest: "" }),
);
