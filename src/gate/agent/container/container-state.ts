import { CountersignError } from "../../../error.js";
import { RUN_METADATA } from "./profile.js";

/**
 * The fields that the gate reads from the state of a container process, which the runtime sends with the listener:
 * ContainerProcessState of the OCI runtime specification (config-linux.md, "The Container Process State").
 */
export interface ContainerState {
  readonly id: string;
  readonly pid: number;
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** The profile's `listenerMetadata`, which says what the filter does; "" if it is no text. */
  readonly metadata: string;
  /** Index of `seccompFd` in the list of received fds. */
  readonly listenerIndex: number;
}

/** The state by which `countersign run` joins the agent of a sealed machine. `id`: unique among its containers. */
export function runStateText(id: string, pid: number): string {
  return JSON.stringify({
    fds: ["seccompFd"],
    pid,
    metadata: RUN_METADATA,
    state: { id, bundle: "", annotations: {} },
  });
}

/** Maximum size of a state in bytes. Annotations can be long, but runtimes do not send as much as this. */
export const MAX_STATE = 1024 * 1024;

/** Parses a ContainerProcessState. Throws GATE_FAILED if it is malformed. */
export function readState(text: string): ContainerState {
  const state = json(text);
  const { id, bundle = "", annotations = {} } = objectIn(state, "state");
  const fds = state.fds;
  const listenerIndex = Array.isArray(fds) ? fds.indexOf("seccompFd") : -1;
  if (typeof id !== "string" || id === "") throw malformed("`state.id` is not a name");
  if (listenerIndex < 0) throw malformed("`fds` has no `seccompFd`");
  const pid = state.pid;
  if (!Number.isSafeInteger(pid) || (pid as number) <= 0) throw malformed("`pid` is not a process id");
  if (typeof bundle !== "string") throw malformed("`state.bundle` is not a path");
  const metadata = typeof state.metadata === "string" ? state.metadata : "";
  return { id, pid: pid as number, bundle, annotations: strings(annotations), metadata, listenerIndex };
}

/** The state of a listener that came without one, from a process (0: unknown). */
export function unknownState(pid: number): ContainerState {
  return { id: "unknown", pid: Math.max(1, pid), bundle: "", annotations: {}, metadata: "", listenerIndex: 0 };
}

/** Encodes a state for {@link readState}. Its list of fds has only the listener. */
export function stateText({ id, pid, bundle, annotations, metadata }: ContainerState): string {
  return JSON.stringify({ fds: ["seccompFd"], pid, metadata, state: { id, bundle, annotations } });
}

/** Whether a text is not valid JSON yet, so that more must be read. */
export function isIncomplete(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch {
    return true;
  }
}

type Json = Readonly<Record<string, unknown>>;

function json(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // reported below
  }
  throw malformed("it is not a JSON object");
}

function objectIn(parent: Json, name: string): Json {
  const value = parent[name];
  if (isObject(value)) return value;
  throw malformed(`\`${name}\` is not an object`);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function strings(value: unknown): Record<string, string> {
  const entries = isObject(value) ? Object.entries(value) : [["", null]];
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === "string"))
    throw malformed("`state.annotations` are not all strings");
  return Object.fromEntries(entries);
}

function malformed(what: string): CountersignError {
  return new CountersignError("GATE_FAILED", `a runtime's ContainerProcessState is malformed: ${what}`, {
    remedy: "use an OCI runtime of version 1.1 of the specification or later",
  });
}
