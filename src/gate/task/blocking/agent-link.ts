import { ERRNO, errorName } from "../../../errno.js";
import { CountersignError } from "../../../error.js";
import { close } from "../../../sys/pidfd.js";
import { refuseNewPrivileges } from "../../../sys/process.js";
import { installFilter } from "../../../sys/seccomp.js";
import { connectStream, sendOnSocket } from "../../../sys/socket.js";

/** How a thread of `countersign run` asks the agent of a sealed machine about its own bpf(2) calls. */
export interface AgentLink {
  /** Path of the agent's socket. */
  readonly socket: string;
  /** The state that a container runtime would send with the listener: see `agent/container/container-state.ts`. */
  readonly state: string;
  /** The filter of the thread, as an array of struct sock_filter. */
  readonly filter: Uint8Array;
  /** Whether the thread has CAP_SYS_ADMIN, without which the kernel takes a filter only with no_new_privs. */
  readonly mayFilter: boolean;
}

/**
 * From now on the calling thread's bpf(2) calls are made by the agent, which asks its policies first and gives loads a
 * ticket. This cannot be undone. The command does not inherit the filter, because another thread starts its process.
 * Returns false if there is no agent any more: the thread's calls then go to the kernel, whose guard has the list only.
 * Throws GATE_FAILED.
 */
export function askAgent({ socket, state, filter, mayFilter }: AgentLink): boolean {
  // an agent that is gone must not cost this thread its bpf(2) calls, so connect first
  const connection = connectStream(socket);
  if (connection < 0) {
    if (GONE.has(connection)) return false;
    throw failed(`cannot be reached: ${errorName(-connection)}`, socket);
  }
  if (!mayFilter) refuseNewPrivileges();
  const listener = installFilter(filter);
  if (listener < 0) {
    close(connection);
    throw failed(`cannot be asked, because a seccomp filter cannot be installed: ${errorName(-listener)}`, socket);
  }
  const sent = sendOnSocket(connection, Buffer.from(state), [listener]);
  // if the agent did not get the listener, all later calls fail with ENOSYS
  close(listener);
  close(connection);
  if (sent < 0) throw failed(`did not take the listener: ${errorName(-sent)}`, socket);
  return true;
}

/** The agent has ended, or its socket was removed. */
const GONE: ReadonlySet<number> = new Set([-ERRNO.ECONNREFUSED, -ERRNO.ENOENT]);

function failed(message: string, place: string): CountersignError {
  return new CountersignError("GATE_FAILED", `the agent of this sealed machine ${message}`, {
    place,
    remedy: "run it as the agent's user, outside of containers and of other gates",
  });
}
