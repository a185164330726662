import { CountersignError } from "../../../error.js";
import { readLink } from "../../../sys/file.js";
import type { ContainerState } from "./container-state.js";
import { isRun, METADATA, profileOf } from "./profile.js";

/** What an agent accepts. */
export interface Admission {
  /** Whether to accept containers in the gate's pid namespace. Their tasks can address the gate by its process id. */
  readonly sharedPids: boolean;
  /** Whether this is the agent of a sealed machine, which also serves `countersign run`. */
  readonly sealed?: boolean;
}

/**
 * The reason why the agent rejects a container process; null if it accepts it. `isServed`: whether the agent serves
 * processes of this container that started under a profile of an earlier version.
 */
export function rejectionOf(
  state: ContainerState,
  { sharedPids, sealed = false }: Admission,
  isServed: (container: string) => boolean,
): CountersignError | null {
  // under a seal, the guard keeps every process from the agent, and root could start what it likes in any namespace
  if (sealed && isRun(state)) return null;
  if (!sharedPids && sharesPids(state.pid))
    return rejection(
      `container \`${state.id}\` shares the gate's pid namespace`,
      "give it one of its own, or start the agent with --shared-pids",
    );
  const { keepsListener } = profileOf(state);
  if (keepsListener === "yes" || (keepsListener === "no" && isServed(state.id))) return null;
  return rejection(
    `container \`${state.id}\` has a seccomp profile of which the agent does not know that it keeps tasks from ` +
      `installing a listener: its \`listenerMetadata\` is \`${state.metadata}\``,
    "start it with deploy/seccomp.json or deploy/seccomp-fast.json of this version; a profile of your own needs the " +
      `rules for \`seccomp\` that these have, and \`${METADATA.full}\` or \`${METADATA.fast}\` as its metadata`,
  );
}

/**
 * The error about a container that is rejected and held, as the administrator sees it. All causes have one code, since
 * all have one consequence.
 */
export function heldError({ message, remedy }: CountersignError): CountersignError {
  return new CountersignError("CONTAINER_REJECTED", `${message}; its calls fail with EPERM`, { remedy });
}

function rejection(message: string, remedy: string): CountersignError {
  return new CountersignError("CONTAINER_REJECTED", message, { remedy });
}

function sharesPids(pid: number): boolean {
  const theirs = readLink(`/proc/${pid}/ns/pid`);
  return theirs === null || theirs === readLink("/proc/self/ns/pid");
}
