import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import type { Config } from "../config/config.js";
import { CountersignError } from "../error.js";
import { type ContainerState, isIncomplete, MAX_STATE, readState } from "./container-state.js";
import { DecisionThread } from "./decision-thread.js";
import { containerOf, type Resolver } from "./labels.js";
import { readLink } from "./sys/file.js";
import { requirePlatform } from "./sys/libc.js";
import { close } from "./sys/pidfd.js";
import { accept, listenAt, peerOf, receiveWithFds, whenReadable } from "./sys/socket.js";
import type { Tally } from "./tally.js";

/** How an agent is started. */
export interface AgentOptions {
  readonly config: Config;
  /** Where runtimes connect: `listenerPath` of their seccomp profile. */
  readonly socket: string;
  readonly resolve: Resolver;
  /** Takes containers that share the gate's pid namespace: from there it can be reached. */
  readonly sharedPids: boolean;
  /** Called for what a person must know. */
  readonly say: (error: CountersignError) => void;
}

/** A gate for containers: an OCI seccomp agent, to which runtimes hand the listeners of the containers that they start. */
export class Agent {
  readonly #containers = new Map<number, ContainerState>();
  #stopListening: () => void = () => undefined;

  private constructor(
    private readonly options: AgentOptions,
    private readonly thread: DecisionThread,
  ) {}

  /** Throws GATE_UNSUPPORTED, GATE_FAILED, and what a configuration throws when it is put together. */
  static async start(options: AgentOptions): Promise<Agent> {
    requirePlatform();
    const { config, socket, say } = options;
    const thread = await DecisionThread.start(config, {
      refusal: () => undefined,
      killed: (tid) => say(failed(`task ${tid} made the gate wait for its memory and was killed`)),
      replaced: (reason) => say(failed(`the decision thread was replaced: ${reason}`)),
      lost: (error) => {
        say(error);
        agent.#forsake();
      },
      done: (fd) => agent.#release(fd),
    });
    const agent = new Agent(options, thread);
    removeStale(socket);
    const listening = listenAt(socket, () => agent.#accept(listening.fd));
    chmodSync(socket, 0o600);
    agent.#stopListening = () => {
      listening.close();
      unlinkSync(socket);
    };
    return agent;
  }

  get tally(): Tally {
    return this.thread.tally;
  }

  /** Listeners that are heard now; a container has one for each process that a runtime started in it. */
  get listeners(): number {
    return this.#containers.size;
  }

  /** All or nothing: throws and keeps what it has. */
  reload(config: Config): Promise<void> {
    return this.thread.reload(config);
  }

  /** Stops taking containers and ends; calls of those that it has then fail with ENOSYS. */
  async stop(): Promise<void> {
    this.#stopListening();
    await this.thread.stop();
    this.#forsake();
  }

  #accept(listening: number): void {
    for (;;) {
      const connection = accept(listening);
      if (connection < 0) return;
      const peer = peerOf(connection);
      if (peer !== null && (peer.uid === 0 || peer.uid === process.getuid?.())) this.#read(connection);
      else {
        this.options.say(failed(`uid ${peer?.uid ?? "?"} may not hand over containers`));
        close(connection);
      }
    }
  }

  /** Reads one state, in as many parts as it comes, and the fds that its first bytes bring. */
  #read(connection: number): void {
    const fds: number[] = [];
    let text = "";
    const finish = (error: CountersignError | null) => {
      clearTimeout(late);
      stop();
      close(connection);
      if (error === null) return;
      for (const fd of fds) close(fd);
      this.options.say(error);
    };
    const late = setTimeout(() => finish(failed("a runtime connected and did not say what for")), PATIENCE);
    const stop = whenReadable(connection, () => {
      const received = receiveWithFds(connection, chunk);
      fds.push(...received.fds);
      if (received.length > 0) text += Buffer.from(chunk.subarray(0, received.length)).toString("utf8");
      if (text.length > MAX_STATE) return finish(failed("a runtime's ContainerProcessState is too long"));
      if (received.length > 0 && isIncomplete(text)) return;
      try {
        this.#take(readState(text), fds);
        finish(null);
      } catch (error) {
        finish(error instanceof CountersignError ? error : failed(String(error)));
      }
    });
  }

  #take(state: ContainerState, fds: readonly number[]): void {
    const listener = fds[state.listenerIndex];
    if (listener === undefined) throw failed(`container \`${state.id}\` came without its listener`);
    if (!this.options.sharedPids && sharesPids(state.pid))
      throw new CountersignError("GATE_FAILED", `container \`${state.id}\` shares the gate's pid namespace`, {
        remedy: "give it one of its own, or start the agent with --shared-pids",
      });
    for (const [index, fd] of fds.entries()) if (index !== state.listenerIndex) close(fd);
    this.#containers.set(listener, state);
    this.thread.listen(listener, containerOf(state, this.options.resolve)).catch((error) => this.options.say(error));
  }

  #release(fd: number): void {
    if (this.#containers.delete(fd)) close(fd);
  }

  #forsake(): void {
    for (const fd of [...this.#containers.keys()]) this.#release(fd);
  }
}

/** What is read at once, in the one thread that reads. */
const chunk = new Uint8Array(64 * 1024);

/** Milliseconds that a runtime has to say what it connected for. */
const PATIENCE = 5000;

function sharesPids(pid: number): boolean {
  const theirs = readLink(`/proc/${pid}/ns/pid`);
  return theirs === null || theirs === readLink("/proc/self/ns/pid");
}

/** A socket that an agent before this one left; anything else of that name stays and is an error. */
function removeStale(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(path);
}

function failed(message: string): CountersignError {
  return new CountersignError("GATE_FAILED", message, { remedy: "see docs/errors/GATE_FAILED.md" });
}
