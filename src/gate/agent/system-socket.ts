import { CountersignError } from "../../error.js";
import type { AgentSocket } from "./agent-socket.js";
import { makeFolderOf, systemPath } from "./system-root.js";

/** Milliseconds between two looks at the path. */
const INTERVAL = 500;

/**
 * The socket of the agent of a sealed machine. The agent starts before the machine has its file systems: each mount
 * over the socket's folder, and each new root directory of the first process, hides the socket. It is then bound again.
 */
export class SystemSocket {
  readonly #path: string;
  #socket: AgentSocket | null = null;
  /** The error of the last look, and the one that was reported last; "" for none. */
  #failed = "";
  #said = "";
  readonly #timer: NodeJS.Timeout;

  /**
   * `path` is that of the machine. `open` binds a socket; `say` is called when the socket cannot be bound at two looks
   * in a row: while the machine changes its file systems, two steps of one look may see different ones.
   */
  constructor(
    path: string,
    private readonly open: (path: string) => AgentSocket,
    private readonly say: (error: CountersignError) => void,
    interval = INTERVAL,
  ) {
    this.#path = systemPath(path);
    this.#look();
    this.#timer = setInterval(() => this.#look(), interval);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  #look(): void {
    if (this.#socket?.isReachable) return;
    try {
      this.#socket?.close();
      this.#socket = null;
      makeFolderOf(this.#path);
      this.#socket = this.open(this.#path);
      this.#failed = this.#said = "";
    } catch (error) {
      this.#report(error);
    }
  }

  /** Reports an error at its second look, once until the socket is bound again. */
  #report(error: unknown): void {
    const told =
      error instanceof CountersignError
        ? error
        : new CountersignError("SOCKET_UNUSABLE", `cannot be bound: ${String(error)}`, {
            place: this.#path,
            remedy: "check that nothing else is at this path",
          });
    const isRepeated = told.message === this.#failed;
    this.#failed = told.message;
    if (!isRepeated || told.message === this.#said) return;
    this.#said = told.message;
    this.say(told);
  }
}
