import { ERRNO } from "../../../errno.js";
import { CountersignError } from "../../../error.js";
import { readLink } from "../../../sys/file.js";
import { close } from "../../../sys/pidfd.js";
import { whenReadable } from "../../../sys/readable.js";
import { peerOf, receiveWithFds, refuseMore } from "../../../sys/socket.js";
import { type ContainerState, isIncomplete, MAX_STATE, readState, unknownState } from "../container/container-state.js";

/** The message of a runtime: the state of a container process, and the listener of its filter. */
export interface Handover {
  readonly state: ContainerState;
  readonly listener: number;
}

/** What comes of a connection. Whoever gets a handover owns its listener. */
export interface HandoverEvents {
  taken(handover: Handover): void;
  /** A listener came that cannot be served. `state`: that of its container, or of an unknown one. */
  rejected(handover: Handover, error: CountersignError): void;
  /** No handover, and no listener either. */
  refused(error: CountersignError): void;
}

/** Milliseconds from the connection until the complete message must have arrived. */
const PATIENCE = 5000;
/** Maximum number of fds on one connection. A runtime sends one. */
const MAX_FDS = 8;

/** Read buffer. Only one thread receives handovers, so all connections share it. */
const chunk = new Uint8Array(64 * 1024);

/**
 * Reads one ContainerProcessState, which may arrive in parts, and the fds sent with it. Closes the connection, and all
 * fds except listeners: closing a listener would let its tasks install one of their own. Reports each listener that
 * came on the connection, whatever the message is, or that there was none.
 */
export function receiveHandover(connection: number, events: HandoverEvents): void {
  const peer = peerOf(connection);
  const fds: number[] = [];
  const parts: Buffer[] = [];
  let length = 0;
  let finished = false;
  const receive = () => {
    const received = receiveWithFds(connection, chunk);
    fds.push(...received.fds);
    return received.length;
  };
  /** Receives the fds that were sent already, and then closes the connection. Returns the listeners. */
  const finish = (): readonly number[] => {
    finished = true;
    clearTimeout(late);
    stop();
    refuseMore(connection);
    while (receive() > 0);
    close(connection);
    const listeners = fds.filter(isListener);
    for (const fd of fds) if (!listeners.includes(fd)) close(fd);
    return listeners;
  };
  const refuse = (cause: unknown, state = unknownState(peer?.pid ?? 0)) => {
    const error =
      cause instanceof CountersignError
        ? cause
        : failed(String(cause), "report this, with the runtime and its version");
    const listeners = finish();
    if (listeners.length === 0) events.refused(error);
    for (const listener of listeners) events.rejected({ state, listener }, error);
  };
  const take = (text: string) => {
    let state: ContainerState;
    try {
      state = readState(text);
    } catch (error) {
      return refuse(error);
    }
    const listener = fds[state.listenerIndex];
    if (listener === undefined || !isListener(listener))
      return refuse(failed(`container \`${state.id}\` came without its seccomp listener`, RUNTIME), state);
    const others = finish().filter((fd) => fd !== listener);
    events.taken({ state, listener });
    const error = failed(`container \`${state.id}\` came with more than one seccomp listener`, RUNTIME);
    for (const other of others) events.rejected({ state, listener: other }, error);
  };
  const late = setTimeout(
    () => refuse(failed("a process connected and sent no whole ContainerProcessState in time", RUNTIME)),
    PATIENCE,
  );
  let stop: () => void = () => undefined;
  if (peer === null || (peer.uid !== 0 && peer.uid !== process.getuid?.())) {
    refuse(
      failed(
        `uid ${peer?.uid ?? "?"} may not hand over containers`,
        "run the container runtime as root, or as the agent's user",
      ),
    );
    return;
  }
  stop = whenReadable(connection, () => {
    if (finished) return;
    const read = receive();
    if (read > 0) parts.push(Buffer.from(chunk.subarray(0, read)));
    length += Math.max(0, read);
    if (length > MAX_STATE)
      return refuse(
        failed(
          `a runtime's ContainerProcessState is longer than ${MAX_STATE} bytes`,
          "remove annotations of the container",
        ),
      );
    if (fds.length > MAX_FDS) return refuse(failed(`a runtime handed over more than ${MAX_FDS} fds`, RUNTIME));
    if (read === -ERRNO.EAGAIN) return;
    const text = Buffer.concat(parts).toString("utf8");
    if (read > 0 && isIncomplete(text)) return;
    take(text);
  }).close;
}

/**
 * Whether an fd is a seccomp listener. Any other fd must be rejected, because it would never deliver a notification.
 */
export function isListener(fd: number): boolean {
  return readLink(`/proc/self/fd/${fd}`) === "anon_inode:seccomp notify";
}

/** For a peer that does not send what the OCI runtime specification says. */
const RUNTIME = "let only an OCI runtime of version 1.1 or later connect here, with this socket as `listenerPath`";

function failed(message: string, remedy: string): CountersignError {
  return new CountersignError("GATE_FAILED", message, { remedy });
}
