import type { Config } from "../../config/config.js";
import { DecisionWatch } from "../../engine/handover/watch.js";
import { errorOf } from "../../engine/threads/failure.js";
import { OwnedThread } from "../../engine/threads/owned-thread.js";
import type { ThreadImage } from "../../engine/threads/thread-image.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { ShadowDifference } from "../../log/shadow-record.js";
import { monotonic } from "../../monotonic.js";
import type { Warning } from "../../warning.js";
import { ShadowBacklog } from "../decisions/shadow-backlog.js";
import type { Tally } from "../decisions/tally.js";
import type { PreopenedFiles } from "../messages/preopened-files.js";
import type {
  FromShadow,
  ShadowLink,
  ShadowQuestion,
  ShadowThreadData,
  ToShadow,
} from "../messages/shadow-messages.js";
import { POLICY_GRACE } from "./next-action.js";
import { OverduePolicy } from "./overdue-policy.js";

/** Milliseconds between two looks at whether a policy does not return. */
const LOOK_EVERY = 20;
/** Milliseconds for the questions that are left when a gate ends. */
const TO_FINISH = 2000;
/** Nothing that a shadow allocates may use up the gate's memory. Sandboxes have a limit of their own. */
const HEAP = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 6 };

/** What a {@link Shadow} gets from its gate. */
export interface ShadowParts {
  readonly tally: Tally;
  readonly preopened: PreopenedFiles | null;
  readonly image: ThreadImage | null;
  warn(warning: Warning): void;
  differs(difference: ShadowDifference): void;
  /** The shadow decides no more, and the gate goes on. */
  stopped(error: CountersignError): void;
}

/**
 * The shadow of a gate's configuration, in the main thread: it has a thread of its own, so that nothing that its
 * policies do delays an answer. If one of them does not return, the thread is terminated, and the gate goes on without
 * a shadow.
 */
export class Shadow {
  static #started = 0;
  readonly #id = ++Shadow.#started;
  readonly #thread: OwnedThread<ToShadow, FromShadow>;
  readonly #backlog = new ShadowBacklog();
  readonly #watch = new DecisionWatch();
  readonly #overdue = new OverduePolicy();
  readonly #timer: NodeJS.Timeout;
  #hooks: readonly HookName[] = [];
  #isEnding = false;

  private constructor(
    private readonly config: Config,
    private readonly parts: ShadowParts,
  ) {
    const { preopened, tally, image } = parts;
    const memory = { decisions: this.#watch.memory, tally: tally.memory, backlog: this.#backlog.memory };
    this.#thread = new OwnedThread(
      image ?? "gate-thread",
      { isShadow: true, config, preopened, ...memory } satisfies Omit<ShadowThreadData, "port" | "image">,
      (message) => this.#take(message),
      HEAP,
    );
    void this.#thread.ended.then(({ message }) => this.#lose(message));
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY).unref();
  }

  /**
   * Starts the shadow of a gate in `mode`, and waits until it can decide. Throws the errors of `Engine.open`, and
   * HOOK_NOT_ENFORCED.
   */
  static async start(shadow: Config, { mode }: Pick<Config, "mode">, parts: ShadowParts): Promise<Shadow> {
    const started = new Shadow({ ...shadow, mode, log: null }, parts);
    const failure = await started.#thread.ready();
    if (failure === null) return started;
    await started.end();
    throw errorOf(failure);
  }

  get link(): ShadowLink {
    return { id: this.#id, backlog: this.#backlog.memory, hooks: this.#hooks };
  }

  decide(question: ShadowQuestion): void {
    if (this.#thread.alive) this.#thread.post({ do: "decide", question });
  }

  /** Ends after the questions that it has, or when it takes too long. */
  async finish(): Promise<void> {
    this.#isEnding = true;
    if (!this.#thread.alive) return this.end();
    this.#thread.hold(true);
    this.#thread.post({ do: "finish" });
    const late = setTimeout(() => void this.end(), TO_FINISH);
    await this.#thread.ended;
    clearTimeout(late);
    this.#miss();
    clearInterval(this.#timer);
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    clearInterval(this.#timer);
    this.#backlog.stop();
    await this.#thread.end();
  }

  #take(message: FromShadow): void {
    if (message.is === "hooks") this.#hooks = message.hooks;
    else if (message.is === "read") for (const warning of message.warnings) this.parts.warn(warning);
    else if (message.is === "difference") this.parts.differs(message.difference);
  }

  #look(): void {
    const late = this.#watch.look();
    if (this.#overdue.add(this.#watch, monotonic()) < POLICY_GRACE || late === null) return;
    const { name } = this.config.attachments[late.attachment]!;
    this.#lose(`policy \`${name}\` did not return within its time`);
    void this.end();
  }

  #lose(why: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    clearInterval(this.#timer);
    this.#backlog.stop();
    this.#miss();
    this.parts.stopped(
      new CountersignError("GATE_FAILED", `the shadow decides no more: ${why}`, {
        place: this.config.file,
        remedy: "correct it, and have it read again: restart the gate, or send SIGHUP to the agent",
      }),
    );
  }

  /** Counts the questions that nobody will answer. */
  #miss(): void {
    for (let left = this.#backlog.size; left > 0; left -= 1) this.parts.tally.add("shadowMissed");
  }
}
