import { ERRNO } from "../../../errno.js";
import { CountersignError } from "../../../error.js";
import { readLink } from "../../../sys/file.js";
import { close } from "../../../sys/pidfd.js";
import { peerOf, receiveWithFds, whenReadable } from "../../../sys/socket.js";
import { type ContainerState, isIncomplete, MAX_STATE, readState } from "../container/container-state.js";

/** The message of a runtime: the state of a container process, and the listener of its filter. */
export interface Handover {
  readonly state: ContainerState;
  readonly listener: number;
}

/** Milliseconds from the connection until the complete message must have arrived. */
const PATIENCE = 5000;
/** Maximum number of fds on one connection. A runtime sends one. */
const MAX_FDS = 8;

/** Read buffer. Only one thread receives handovers, so all connections share it. */
const chunk = new Uint8Array(64 * 1024);

/**
 * Reads one ContainerProcessState, which may arrive in parts, and the fds sent with it. Calls `taken` with the handover
 * or `refused` with the reason, once. Closes the connection, and all fds except the listener that it passes to `taken`.
 */
export function receiveHandover(
  connection: number,
  taken: (handover: Handover) => void,
  refused: (error: CountersignError) => void,
): void {
  const peer = peerOf(connection);
  if (peer === null || (peer.uid !== 0 && peer.uid !== process.getuid?.())) {
    close(connection);
    refused(
      failed(
        `uid ${peer?.uid ?? "?"} may not hand over containers`,
        "run the container runtime as root, or as the agent's user",
      ),
    );
    return;
  }
  const fds: number[] = [];
  const parts: Buffer[] = [];
  let length = 0;
  const finish = (listener: number) => {
    clearTimeout(late);
    stop();
    close(connection);
    for (const fd of fds) if (fd !== listener) close(fd);
  };
  const refuse = (error: unknown) => {
    finish(NONE);
    refused(
      error instanceof CountersignError
        ? error
        : failed(String(error), "report this, with the runtime and its version"),
    );
  };
  const late = setTimeout(
    () => refuse(failed("a process connected and sent no whole ContainerProcessState in time", RUNTIME)),
    PATIENCE,
  );
  const stop = whenReadable(connection, () => {
    const received = receiveWithFds(connection, chunk);
    fds.push(...received.fds);
    if (received.length > 0) parts.push(Buffer.from(chunk.subarray(0, received.length)));
    length += Math.max(0, received.length);
    if (length > MAX_STATE)
      return refuse(
        failed(
          `a runtime's ContainerProcessState is longer than ${MAX_STATE} bytes`,
          "remove annotations of the container",
        ),
      );
    if (fds.length > MAX_FDS) return refuse(failed(`a runtime handed over more than ${MAX_FDS} fds`, RUNTIME));
    if (received.length === -ERRNO.EAGAIN) return;
    const text = Buffer.concat(parts).toString("utf8");
    if (received.length > 0 && isIncomplete(text)) return;
    let handover: Handover;
    try {
      const state = readState(text);
      const listener = fds[state.listenerIndex];
      if (listener === undefined || !isListener(listener))
        throw failed(`container \`${state.id}\` came without its seccomp listener`, RUNTIME);
      handover = { state, listener };
    } catch (error) {
      return refuse(error);
    }
    finish(handover.listener);
    taken(handover);
  });
}

/**
 * Whether an fd is a seccomp listener. Any other fd must be rejected, because it would never deliver a notification.
 */
export function isListener(fd: number): boolean {
  return readLink(`/proc/self/fd/${fd}`) === "anon_inode:seccomp notify";
}

const NONE = -1;

/** For a peer that does not send what the OCI runtime specification says. */
const RUNTIME = "let only an OCI runtime of version 1.1 or later connect here, with this socket as `listenerPath`";

function failed(message: string, remedy: string): CountersignError {
  return new CountersignError("GATE_FAILED", message, { remedy });
}
