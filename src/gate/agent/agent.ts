import type { Config } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import { unmapExecutablePages } from "../../sys/executable.js";
import { requirePlatform } from "../../sys/libc.js";
import { close } from "../../sys/pidfd.js";
import { accept } from "../../sys/socket.js";
import type { Warning } from "../../warning.js";
import { requireNotified } from "../call/fast-filters.js";
import type { Tally } from "../decisions/tally.js";
import { errorOfEvent } from "../supervisor/event-errors.js";
import { GateSupervisor } from "../supervisor/gate-supervisor.js";
import { AgentSocket } from "./agent-socket.js";
import { heldError, rejectionOf } from "./container/admission.js";
import type { ContainerState } from "./container/container-state.js";
import type { LabelSource } from "./container/label-source.js";
import { profileOf } from "./container/profile.js";
import { Containers } from "./containers.js";
import { FdStoreContainers, type Restored } from "./fd-store/fd-store-containers.js";
import { receiveHandover } from "./fd-store/handover.js";
import { MapJournal } from "./fd-store/map-journal.js";
import type { ServiceManager } from "./fd-store/service-manager.js";
import { unknownFacts } from "./fd-store/unknown-facts.js";
import { outdatedWarnings } from "./outdated-profiles.js";
import { RejectedListeners } from "./rejected/rejected-listeners.js";
import { SystemSocket } from "./system-socket.js";

/** How an agent is started. */
export interface AgentOptions {
  readonly config: Config;
  /** Path of the socket to which runtimes connect: `listenerPath` of their seccomp profile. */
  readonly socket: string;
  readonly labels: LabelSource;
  /** Keeps the listeners of containers while no agent runs. */
  readonly manager: ServiceManager;
  /** Whether to accept containers in the gate's pid namespace, whose tasks can address the gate by its process id. */
  readonly sharedPids: boolean;
  /**
   * Whether this is the agent of a sealed machine. The socket's path is then that of the machine, whose root directory
   * changes after the start, and loads carry tickets.
   */
  readonly sealed?: boolean;
  /** Called with problems that the administrator must know. */
  readonly say: (error: CountersignError) => void;
  readonly warn: (warning: Warning) => void;
}

/** A gate for containers: an OCI seccomp agent. Runtimes send it the listeners of the containers that they start. */
export class Agent {
  readonly #containers: Containers;
  readonly #kept: FdStoreContainers;
  readonly #maps: MapJournal;
  readonly #rejected = new RejectedListeners((listener) => {
    this.#kept.drop(listener);
    close(listener);
  });
  #stopped: Promise<void> | null = null;
  #stopListening: () => void = () => undefined;
  #lose: (error: CountersignError) => void = () => undefined;
  #isLost = false;
  /**
   * Resolves if the agent can no longer decide anything. The process must then exit, so that the service manager
   * restarts it.
   */
  readonly lost = new Promise<CountersignError>((resolve) => {
    this.#lose = (error) => {
      this.#isLost = true;
      resolve(error);
    };
  });
  #trimTimer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly options: AgentOptions,
    private readonly supervisor: GateSupervisor,
  ) {
    const { labels, manager, say } = options;
    this.#kept = new FdStoreContainers(manager, (container) => supervisor.issuedTo(container));
    this.#maps = new MapJournal(manager, options.config, supervisor.texts, () => supervisor.mapWrites);
    this.#containers = new Containers(labels, {
      known: (listener, ...known) =>
        void supervisor.listen(listener, ...known).catch((error) => this.#refuse(listener, error)),
      say,
    });
    this.#trimMemory();
  }

  /**
   * Serves the containers that the service manager kept, and accepts new ones. Throws GATE_UNSUPPORTED, GATE_FAILED,
   * HOOK_NOT_ENFORCED, and the errors of opening a configuration.
   */
  static async start(options: AgentOptions): Promise<Agent> {
    requirePlatform();
    const { config, socket, say } = options;
    const supervisor = await GateSupervisor.start(config, (event) => {
      switch (event.is) {
        case "warning":
          options.warn(event.warning);
          break;
        case "taskKilled":
        case "throttled":
        case "replaced":
        case "unlogged":
        case "shadowStopped":
          say(errorOfEvent(event));
          break;
        case "lost":
          agent.#lose(event.error);
          break;
        case "hangup":
          agent.#release(event.fd);
          break;
        case "mapWrites":
          agent.#maps.record(event.answers);
          break;
        case "issued":
          agent.#kept.record(event.containerKey, event.issued);
      }
    });
    const agent = new Agent(options, supervisor);
    try {
      const wrote = agent.#maps.restore(say);
      if (wrote.length > 0) {
        supervisor.restoreMapWrites(wrote);
        agent.#maps.record(wrote);
      }
      const restored: Restored[] = [];
      agent.#kept.restore((each) => restored.push(each));
      // if this throws, the agent does not start, and the containers' calls wait for an agent that can decide them
      const served = restored.filter(({ rejected }) => rejected === null);
      requireNotified(
        supervisor.fastest,
        served.map(({ state }) => ({ filter: profileOf(state).filter, container: state })),
      );
      for (const { listener, state, cursor, issued, rejected } of restored) {
        supervisor.addIssued(state.id, issued);
        if (rejected === null) agent.#containers.take(listener, state, cursor);
        else agent.#holdAgain(listener, state, cursor, rejected);
      }
      for (const warning of outdatedWarnings(served.map(({ state }) => state))) options.warn(warning);
      const unknown = unknownFacts(restored.flatMap(({ issued }) => issued));
      if (unknown !== null) say(unknown);
      agent.#listenAt(socket);
    } catch (error) {
      await agent.stop(); // a running thread would keep the process from exiting
      throw error;
    }
    return agent;
  }

  get tally(): Tally {
    return this.supervisor.tally;
  }

  /** Number of slow containers: blocking workers serve them, so that other containers do not wait. */
  get slowContainers(): number {
    return this.supervisor.slowContainers;
  }

  /** Number of listeners that are served. A container has one for each process that the runtime started in it. */
  get listeners(): number {
    return this.#containers.size;
  }

  /** Number of listeners that are served although their filter does not fail calls that install a listener. */
  get outdatedListeners(): number {
    return this.#containers.outdated;
  }

  /** Number of listeners of containers that were rejected and still have a task. */
  get rejectedListeners(): number {
    return this.#rejected.size;
  }

  /** Number of maps that began anew at this start, because what they kept breaks their schema. */
  get resetMaps(): number {
    return this.#maps.givenUp;
  }

  /** Number of calls of rejected containers, all of which were denied. */
  get rejectedCalls(): number {
    return this.#rejected.denied;
  }

  /**
   * Replaces the configuration and looks up all labels again. If this throws, the old configuration stays in effect.
   */
  async reload(config: Config): Promise<void> {
    await this.supervisor.reload(config);
    this.#maps.reset(config, this.supervisor.texts);
    this.#containers.refresh();
    this.#trimMemory();
  }

  /**
   * Stops the agent. Calls of its containers then wait if the service manager keeps their listeners; otherwise they
   * fail with ENOSYS. Later calls return the same result: the numbers of the closed fds may belong to other files by
   * then.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#trimTimer);
    this.#stopListening();
    this.#containers.close();
    if (!this.#isLost) await this.supervisor.stop();
    await this.#rejected.stop();
    for (const listener of [...this.#containers.listeners, ...this.#rejected.listeners]) close(listener);
  }

  /** An agent runs for months, so it releases the memory that its start took. */
  #trimMemory(): void {
    clearTimeout(this.#trimTimer);
    this.#trimTimer = setTimeout(() => {
      // if it fails, the agent only keeps more memory
      this.supervisor.trimMemory().then(unmapExecutablePages, () => undefined);
    }, TRIM_AFTER);
    this.#trimTimer.unref();
  }

  #listenAt(path: string): void {
    const open = (at: string) => {
      const socket = AgentSocket.open(at, () => this.#accept(socket.fd));
      return socket;
    };
    const socket = this.options.sealed ? new SystemSocket(path, open, this.options.say) : open(path);
    this.#stopListening = () => socket.close();
  }

  #accept(listening: number): void {
    for (;;) {
      const connection = accept(listening);
      if (connection < 0) return;
      receiveHandover(connection, {
        taken: ({ listener, state }) => this.#take(listener, state),
        rejected: ({ listener, state }, error) => this.#reject(listener, state, error),
        refused: this.options.say,
      });
    }
  }

  #take(listener: number, state: ContainerState): void {
    const error = rejectionOf(state, this.options, (container) => this.#containers.isOutdated(container));
    if (error === null) this.#containers.take(listener, state, this.#kept.keep(listener, state));
    else this.#reject(listener, state, error);
  }

  /** Holds the listener of a container that is not served, and denies all its calls. */
  #reject(listener: number, state: ContainerState, error: CountersignError): void {
    this.options.say(heldError(error));
    this.#rejected.hold(listener, this.#kept.keep(listener, state, error.message));
  }

  /** Does the same with a container that an agent before this one rejected. */
  #holdAgain(listener: number, state: ContainerState, cursor: number, reason: string): void {
    this.options.say(
      heldError(
        new CountersignError("CONTAINER_REJECTED", `container \`${state.id}\` stays rejected: ${reason}`, {
          remedy: "remove the cause, and start the container again",
        }),
      ),
    );
    this.#rejected.hold(listener, cursor);
  }

  /** Does the same with a container whose calls the configuration cannot decide. */
  #refuse(listener: number, error: CountersignError): void {
    if (this.#stopped !== null || this.#isLost) return; // the process ends
    this.options.say(heldError(error));
    const cursor = this.#containers.forget(listener);
    if (cursor === null) return;
    this.#kept.reject(listener, error.message);
    this.#rejected.hold(listener, cursor);
  }

  #release(listener: number): void {
    if (this.#containers.forget(listener) === null) return;
    this.#kept.drop(listener);
    close(listener);
  }
}

/** Milliseconds after the start; background work such as compilation has ended by then. */
const TRIM_AFTER = 1000;
