import { type Config, readConfig } from "../config/config.js";
import { CountersignError } from "../error.js";
import type { HookName } from "../hooks/catalogue.js";
import type { Decision } from "../hooks/decision.js";
import { monotonic } from "../monotonic.js";
import { warningLine } from "../warning.js";
import type { DecisionRequest } from "./decision/request.js";
import { type FileOptions, questionsAboutFile } from "./files/file-questions.js";
import type { Question } from "./files/load-questions.js";
import { principalOf } from "./handover/principal.js";
import type { SkippedAttachment } from "./handover/suspension-list.js";
import { ThreadHandoverState } from "./handover/thread-handover-state.js";
import type { FileSnapshot } from "./load/file-cache.js";
import { type SealedRules, sealedRules } from "./load/keyrings.js";
import { StatementStore } from "./statements/statement-store.js";
import { errorOf } from "./threads/failure.js";
import type { FromThread } from "./threads/messages.js";
import { WatchedThread } from "./threads/watched-thread.js";

/**
 * Milliseconds that a policy may exceed its timeout before its thread is terminated. The sandbox stops nearly all
 * policies in time.
 */
const GRACE = 25;
/** Milliseconds between checks of a thread while no caller is blocked. */
const LOOK_EVERY = 10;
/** Milliseconds that a thread may take to become ready, and may be silent while no policy is being asked. */
const PATIENCE = 10_000;

/** An engine in a thread of its own, which the main thread can replace if a policy does not return. */
export interface DecisionEngine {
  /**
   * Decides while the caller is blocked; the calling thread is the watcher. Throws ENGINE_CLOSED, and INTERNAL if no
   * thread starts.
   */
  decide<H extends HookName>(request: DecisionRequest<H>): Decision;
  /** Decides without blocking the caller. */
  decideAsync<H extends HookName>(request: DecisionRequest<H>): Promise<Decision>;
  /**
   * The decisions that a gate would make about a file, as the `hook` and `subject` of requests. For a BPF object these
   * are the decisions of a whole load, in libbpf's order; the load succeeds only if all verdicts are 0. Throws what
   * reading the file throws, and ELF_NO_PROGRAMS if the hook cannot be told from the file's content.
   */
  questionsAbout(path: string, options?: FileOptions): readonly Question[];
  /** Resolves when a standby thread is ready, which makes replacing the current one fast. */
  prepared(): Promise<void>;
  /** Ends the threads. Decisions in progress are rejected with ENGINE_CLOSED. */
  close(): Promise<void>;
}

/** Opens an engine for a configuration file. Throws if the configuration, or anything that it names, cannot be used. */
export async function openEngine(file: string): Promise<DecisionEngine> {
  const engine = new Watchdog(readConfig(file));
  await engine.ready();
  return engine;
}

interface Pending {
  readonly id: number;
  /** With the time at which the caller asked: a request that another thread repeats keeps it. */
  readonly request: DecisionRequest & { readonly time: number };
  /**
   * Attachments for which a thread was terminated during this request. They are not asked again, and their faults
   * stand.
   */
  readonly overdue: SkippedAttachment[];
  readonly resolve: (decision: Decision) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Watches a decision thread. If the thread is overdue, it is terminated, and the standby thread takes its place with
 * the same configuration and all committed map writes. That thread repeats the decisions in progress, without asking
 * the attachment that was overdue.
 */
class Watchdog implements DecisionEngine {
  readonly #handover: ThreadHandoverState;
  readonly #pending = new Map<number, Pending>();
  #sealed: SealedRules;
  #texts: FileSnapshot | null = null;
  #thread: WatchedThread;
  #spare: WatchedThread | null = null;
  #timer: NodeJS.Timeout | null = null;
  #ids = 0;
  #statements: StatementStore | null = null;
  #closed = false;

  constructor(private readonly config: Config) {
    this.#handover = new ThreadHandoverState(config, () => this.#texts ?? new Map());
    this.#sealed = sealedRules(config.keyrings);
    this.#thread = this.#start();
  }

  async ready(): Promise<void> {
    const failure = await this.#thread.ready();
    if (failure !== null) {
      await this.close();
      throw errorOf(failure);
    }
    this.#keepSpare();
  }

  decide<H extends HookName>(request: DecisionRequest<H>): Decision {
    let result: Decision | Error | undefined;
    const id = this.#ask(
      request,
      (decision) => (result = decision),
      (error) => (result = error),
    );
    let silent = monotonic() + PATIENCE;
    while (result === undefined) {
      const thread = this.#thread;
      const seen = thread.watch.responses;
      this.#receive(thread);
      if (result !== undefined) break;
      thread.watch.waitForResponse(seen, thread.watch.patience(GRACE, 100));
      if (this.#look()) silent = monotonic() + PATIENCE;
      if (monotonic() > silent) this.#giveUp(id);
    }
    if (result instanceof Error) throw result;
    return result;
  }

  decideAsync<H extends HookName>(request: DecisionRequest<H>): Promise<Decision> {
    return new Promise((resolve, reject) => {
      this.#ask(request, resolve, reject);
      this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY);
    });
  }

  questionsAbout(path: string, options: FileOptions = {}): readonly Question[] {
    this.#statements ??= StatementStore.ofConfiguration(this.config);
    return questionsAboutFile(path, this.config.signatures, options, this.#statements);
  }

  async prepared(): Promise<void> {
    await this.#spare?.ready();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#rest();
    for (const { reject } of this.#pending.values()) reject(closed());
    this.#pending.clear();
    await Promise.all([this.#thread.close(), this.#spare?.end()]);
  }

  #ask(request: DecisionRequest, resolve: Pending["resolve"], reject: Pending["reject"]): number {
    if (this.#closed) throw closed();
    const timed = { ...request, time: request.time ?? Date.now() };
    const pending = { id: ++this.#ids, request: timed, overdue: [], resolve, reject };
    this.#pending.set(pending.id, pending);
    this.#post(pending);
    return pending.id;
  }

  #post({ id, request, overdue }: Pending): void {
    this.#thread.decide(id, request, this.#handover.skipped(overdue, principalOf(request.current)));
  }

  /** Handles the messages that have arrived. */
  #receive(thread: WatchedThread): void {
    for (const message of thread.received()) this.#onMessage(thread, message);
  }

  #onMessage(thread: WatchedThread, message: FromThread): void {
    if (message.is === "ready") thread.isReady = true;
    if (thread !== this.#thread) return;
    if (message.is === "read") {
      this.#texts = message.texts;
      for (const warning of message.warnings)
        process.emitWarning(warningLine(warning), { type: "CountersignWarning", code: warning.code });
    }
    if (message.is === "sealed") this.#sealed = message.sealed;
    if (message.is === "ready" || message.is === "opened" || message.is === "read" || message.is === "sealed") return;
    if (message.is === "failed" && message.id === null) {
      this.#giveUp(null, errorOf(message.error));
      return;
    }
    const pending = this.#pending.get(message.id!);
    this.#pending.delete(message.id!);
    if (this.#pending.size === 0) this.#rest();
    if (message.is === "failed") pending?.reject(errorOf(message.error));
    else {
      this.#handover.record(message.decision);
      if (pending !== undefined) this.#handover.recordFailures(message.harmful, principalOf(pending.request.current));
      pending?.resolve(message.decision);
    }
  }

  /** Replaces the thread if it is overdue or has ended. Returns whether it did. */
  #look(): boolean {
    const thread = this.#thread;
    const overdue = thread.watch.overdue(GRACE);
    if (overdue === null && thread.alive) return false;
    // It may have answered at the last moment
    this.#receive(thread);
    const pending = overdue === null ? undefined : this.#pending.get(overdue.request);
    // A thread may prepare a policy while it has no request
    if (thread.alive && pending === undefined && thread.watch.overdue(GRACE) === null) return false;
    if (overdue !== null) {
      const principal = pending === undefined ? null : principalOf(pending.request.current);
      const skipped = this.#handover.recordFailure(overdue, principal);
      pending?.overdue.push(skipped);
    }
    this.#replace(thread);
    return true;
  }

  #replace(thread: WatchedThread): void {
    void thread.end();
    this.#thread = this.#spare ?? this.#start();
    this.#spare = null;
    this.#thread.restore(this.#handover.commits(), [...this.#handover.failing], this.#sealed);
    for (const pending of this.#pending.values()) this.#post(pending);
    this.#keepSpare();
  }

  /** Rejects one request, or all if `id` is null, since no thread answers; nothing is allowed. */
  #giveUp(id: number | null, error: Error = silentError()): void {
    for (const pending of [...this.#pending.values()]) {
      if (id !== null && pending.id !== id) continue;
      this.#pending.delete(pending.id);
      pending.reject(error);
    }
    // Do not replace a thread that still reads its policies: its successor would take as long
    if (id !== null && this.#thread.isReady) this.#replace(this.#thread);
  }

  #keepSpare(): void {
    if (!this.#closed) this.#spare ??= this.#start();
  }

  #start(): WatchedThread {
    return new WatchedThread({ config: this.config, sealed: this.#sealed, texts: this.#texts }, (thread, message) =>
      this.#onMessage(thread, message),
    );
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

function closed(): CountersignError {
  return new CountersignError("ENGINE_CLOSED", "the engine has been closed", { remedy: "open another one" });
}

function silentError(): CountersignError {
  return new CountersignError("INTERNAL", `the decision thread has said nothing for ${PATIENCE} ms`, {
    remedy: "report this, with the configuration",
  });
}
