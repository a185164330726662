import type { Config } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import type { Warning } from "../../warning.js";
import { requireNotified } from "../call/fast-filters.js";
import { unmapExecutablePages } from "../sys/executable.js";
import { readLink } from "../sys/file.js";
import { requirePlatform } from "../sys/libc.js";
import { close } from "../sys/pidfd.js";
import { accept } from "../sys/socket.js";
import type { Tally } from "../tally.js";
import { GateSupervisor } from "../threads/gate-supervisor.js";
import { AgentSocket } from "./agent-socket.js";
import { Containers } from "./containers.js";
import { FdStoreContainers, type Restored } from "./fd-store-containers.js";
import { type Handover, receiveHandover } from "./handover.js";
import type { LabelSource } from "./label-source.js";
import { MapJournal } from "./map-journal.js";
import type { ServiceManager } from "./service-manager.js";

/** How an agent is started. */
export interface AgentOptions {
  readonly config: Config;
  /** Where runtimes connect: `listenerPath` of their seccomp profile. */
  readonly socket: string;
  readonly labels: LabelSource;
  /** Keeps containers while no agent runs. */
  readonly manager: ServiceManager;
  /** Takes containers that share the gate's pid namespace: from there it can be reached. */
  readonly sharedPids: boolean;
  /** Called for what a person must know. */
  readonly say: (error: CountersignError) => void;
  readonly warn: (warning: Warning) => void;
}

/**
 * A gate for containers: an OCI seccomp agent, to which runtimes hand the listeners of the containers that they start.
 */
export class Agent {
  readonly #containers: Containers;
  readonly #kept: FdStoreContainers;
  readonly #maps: MapJournal;
  #stopListening: () => void = () => undefined;
  #lose: (error: CountersignError) => void = () => undefined;
  #isLost = false;
  /** Given once nothing can be judged any more: the process is to end, and whoever watches it to start another one. */
  readonly lost = new Promise<CountersignError>((resolve) => {
    this.#lose = (error) => {
      this.#isLost = true;
      resolve(error);
    };
  });
  #trimTimer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly options: AgentOptions,
    private readonly thread: GateSupervisor,
  ) {
    const { labels, manager, say } = options;
    this.#kept = new FdStoreContainers(manager, (container) => thread.issuedTo(container));
    this.#maps = new MapJournal(manager, options.config, thread.texts, () => thread.wrote);
    this.#containers = new Containers(labels, {
      known: (listener, ...known) =>
        void thread.listen(listener, ...known).catch((error) => this.#refuse(listener, error)),
      say,
    });
    this.#trimMemory();
  }

  /**
   * Goes on with the containers that a service manager kept, and takes new ones. Throws GATE_UNSUPPORTED, GATE_FAILED,
   * HOOK_NOT_ENFORCED, and what a configuration throws when it is put together.
   */
  static async start(options: AgentOptions): Promise<Agent> {
    requirePlatform();
    const { config, socket, say } = options;
    const thread = await GateSupervisor.start(config, {
      denial: () => undefined,
      warned: options.warn,
      killed: (tid) => say(failed(`task ${tid} made the gate wait for its memory and was killed`)),
      unlogged: (error) => say(error),
      replaced: (reason) => say(failed(`the decision thread was replaced: ${reason}`)),
      lost: (error) => agent.#lose(error),
      done: (listener) => agent.#release(listener),
      wrote: (wrote) => agent.#maps.record(wrote),
      issued: (container, issued) => agent.#kept.record(container, issued),
    });
    const agent = new Agent(options, thread);
    try {
      const wrote = agent.#maps.restore();
      if (wrote.length > 0) {
        thread.rewrite(wrote);
        agent.#maps.record(wrote);
      }
      const restored: Restored[] = [];
      agent.#kept.restore((each) => restored.push(each));
      // otherwise the agent does not start, and their calls wait for one that can decide them
      requireNotified(
        thread.fastest,
        restored.map(({ state }) => ({ filter: state.filter, container: state })),
      );
      for (const { listener, state, cursor, issued } of restored) {
        thread.remember(state.id, issued);
        agent.#containers.take(listener, state, cursor);
      }
      agent.#listenAt(socket);
    } catch (error) {
      await agent.stop(); // a thread that is left would keep the process from ending
      throw error;
    }
    return agent;
  }

  get tally(): Tally {
    return this.thread.tally;
  }

  /** How many containers are served by blocking workers, so that others do not wait for them. */
  get slowContainers(): number {
    return this.thread.slowContainers;
  }

  /** Listeners that are served now; a container has one for each process that a runtime started in it. */
  get listeners(): number {
    return this.#containers.size;
  }

  /** All or nothing: throws and keeps what it has. Labels are looked up again. */
  async reload(config: Config): Promise<void> {
    await this.thread.reload(config);
    this.#maps.reset(config, this.thread.texts);
    this.#containers.refresh();
    this.#trimMemory();
  }

  /**
   * Stops taking containers and ends. Calls of those that it has then wait where they are kept, and else fail with
   * ENOSYS.
   */
  async stop(): Promise<void> {
    clearTimeout(this.#trimTimer);
    this.#stopListening();
    this.#containers.close();
    if (!this.#isLost) await this.thread.stop();
    for (const listener of this.#containers.listeners) close(listener);
  }

  /** An agent runs for months, so it releases the memory that its start took. */
  #trimMemory(): void {
    clearTimeout(this.#trimTimer);
    this.#trimTimer = setTimeout(() => {
      // if it fails, the agent only keeps more memory
      this.thread.trimMemory().then(unmapExecutablePages, () => undefined);
    }, TRIM_AFTER);
    this.#trimTimer.unref();
  }

  #listenAt(path: string): void {
    const socket = AgentSocket.open(path, () => this.#accept(socket.fd));
    this.#stopListening = () => socket.close();
  }

  #accept(listening: number): void {
    for (;;) {
      const connection = accept(listening);
      if (connection < 0) return;
      receiveHandover(connection, (handover) => this.#take(handover), this.options.say);
    }
  }

  #take({ state, listener }: Handover): void {
    if (this.options.sharedPids || !sharesPids(state.pid)) {
      this.#containers.take(listener, state, this.#kept.keep(listener, state));
      return;
    }
    close(listener);
    this.options.say(
      new CountersignError("GATE_FAILED", `container \`${state.id}\` shares the gate's pid namespace`, {
        remedy: "give it one of its own, or start the agent with --shared-pids",
      }),
    );
  }

  /** A container whose calls cannot be decided is not served: they fail with ENOSYS. */
  #refuse(listener: number, error: CountersignError): void {
    this.options.say(error);
    if (error.code === "HOOK_NOT_ENFORCED") this.#release(listener);
  }

  #release(listener: number): void {
    if (!this.#containers.forget(listener)) return;
    this.#kept.drop(listener);
    close(listener);
  }
}

/** Milliseconds after the start by which its background work has ended, such as compilation. */
const TRIM_AFTER = 1000;

function sharesPids(pid: number): boolean {
  const theirs = readLink(`/proc/${pid}/ns/pid`);
  return theirs === null || theirs === readLink("/proc/self/ns/pid");
}

function failed(message: string): CountersignError {
  return new CountersignError("GATE_FAILED", message, { remedy: "see docs/errors/GATE_FAILED.md" });
}
