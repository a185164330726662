import type { Config } from "../../config/config.js";
import { type BackoffPolicy, BackoffTable } from "../../engine/handover/backoff-table.js";
import { ThreadHandoverState } from "../../engine/handover/thread-handover-state.js";
import type { FileSnapshot } from "../../engine/load/file-cache.js";
import { type SealedRules, sealedRules } from "../../engine/load/keyrings.js";
import { monotonic } from "../../monotonic.js";
import type { FilterKind } from "../call/filter.js";
import { ReleaseCounter } from "../call/release-counter.js";
import { settingsOf } from "../decisions/settings.js";
import type { AttachmentWrites, ToThread } from "../messages/messages.js";
import { IssuedByContainer } from "./issued-by-container.js";
import { ListenerRegistry } from "./listener-registry.js";
import { UnansweredCalls } from "./unanswered-calls.js";

/** For how many milliseconds blocking workers serve a container after its tasks made the gate wait. */
const SLOW_BACKOFF: BackoffPolicy = { free: 0, first: 10_000, longest: 60 * 60 * 1000 };

/** What a gate knows apart from its threads. Each decision thread that takes over gets it. */
export class GateState {
  readonly listeners = new ListenerRegistry();
  readonly issued = new IssuedByContainer();
  readonly calls = new UnansweredCalls();
  /** Memory of the {@link ReleaseCounter} for all containers. */
  readonly releases = new ReleaseCounter().memory;
  readonly slowContainers = new BackoffTable<string>(SLOW_BACKOFF);
  handover: ThreadHandoverState;
  sealed: SealedRules;
  /** The contents of the files of policies and maps, as the first thread read them; null until then. */
  texts: FileSnapshot | null = null;
  /** The filter with the fewest notifications that still notifies the gate of all calls that are decided on. */
  fastest: FilterKind = "full";

  constructor(public config: Config) {
    this.handover = this.#handoverOf(config);
    this.sealed = sealedRules(config.keyrings);
  }

  /** Milliseconds that a task may make the gate wait (`gate.stall`). */
  get stall(): number {
    return settingsOf(this.config).stall;
  }

  /** All writes of attachments to maps, without those that were overwritten later. */
  get mapWrites(): readonly AttachmentWrites[] {
    const modes = new Map(this.config.attachments.map(({ name, mode }) => [name, mode]));
    return this.handover.commits().map((commit) => ({ ...commit, mode: modes.get(commit.attachment)! }));
  }

  /** Replaces the configuration. Its maps have the contents of their files, so earlier writes no longer count. */
  reload(config: Config, sealed: SealedRules): void {
    this.config = config;
    this.sealed = sealed;
    this.handover = this.#handoverOf(config);
  }

  /** Marks the container of a listener as slow: its tasks made the gate wait. */
  markSlow(listener: number): void {
    this.slowContainers.recordFailure(this.listeners.containerKey(listener), monotonic());
  }

  /** Removes a listener, and the issued objects of its container if this was the container's last one. */
  removeListener(fd: number): void {
    const containerKey = this.listeners.remove(fd);
    if (containerKey !== null) this.issued.forget(containerKey);
  }

  get slowContainersMessage(): ToThread {
    return { do: "setSlowContainers", slowContainers: this.slowContainers.records };
  }

  /** The messages to a thread that takes over. `requests`: the messages that the previous thread did not answer. */
  takeoverMessages(requests: readonly ToThread[]): readonly ToThread[] {
    const commits = this.handover.commits();
    const { suspensions } = this.handover;
    return [
      { do: "inherit", commits, suspensions, issued: this.issued.all, sealed: this.sealed },
      this.slowContainersMessage,
      ...Array.from(this.listeners.all, (listener): ToThread => ({ do: "listen", requestId: 0, ...listener })),
      ...requests,
      ...Array.from(this.calls.all, (call): ToThread => ({ do: "serve", ...call })),
    ];
  }

  #handoverOf(config: Config): ThreadHandoverState {
    return new ThreadHandoverState(config, () => this.texts ?? new Map());
  }
}
