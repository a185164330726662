import type { Config } from "../config/config.js";
import { CountersignError } from "../error.js";
import type { HookName } from "../hooks/catalogue.js";
import type { Decision } from "../hooks/decision.js";
import type { ShadowDifference } from "../log/shadow-record.js";
import { monotonic } from "../monotonic.js";
import { withTimeLimit } from "../time-limit.js";
import type { SignatureStore } from "../trust/store.js";
import type { Warning } from "../warning.js";
import { Engine } from "./decision/engine.js";
import type { EngineOptions } from "./decision/engine-options.js";
import type { DecisionRequest } from "./decision/request.js";
import { principalOf } from "./handover/principal.js";
import type { SkippedAttachment } from "./handover/suspension-list.js";
import { ThreadHandoverState } from "./handover/thread-handover-state.js";
import { DecisionWatch, PREPARE_TIMEOUT } from "./handover/watch.js";

/**
 * Milliseconds that a decision may take in addition to its attachments' timeouts; this includes creating runtimes on a
 * busy machine.
 */
const GRACE = PREPARE_TIMEOUT;
/** Milliseconds after which no more decisions begin under one time limit. */
const TOGETHER = 50;

type MapContents = Parameters<Engine["resetMaps"]>[0];
/** A request that can have contents of maps, by name. */
export type RequestWithMaps = DecisionRequest & { readonly maps?: MapContents | undefined };

type TimedOptions = Pick<EngineOptions, "cache" | "recordsReads" | "probe" | "texts">;

/**
 * An engine in the caller's own thread, for a command that decides about a few files and exits, so that no thread has
 * to start. A policy that cannot be interrupted is stopped by the time limit of node:vm. The engine is unusable after
 * that, so it is opened again with its committed map writes, and the decision is repeated without asking that
 * attachment.
 */
export class TimedEngine {
  private readonly watch = new DecisionWatch();
  private handover!: ThreadHandoverState;
  /** The state of other requests, while one with maps of its own is decided; null otherwise. */
  private outer: ThreadHandoverState | null = null;
  private contents: MapContents | null = null;
  private engine!: Engine;

  private constructor(
    private readonly config: Config,
    private readonly options: TimedOptions,
  ) {
    this.startHandover();
  }

  /** Throws as {@link Engine.open}. {@link close} saves the cache. */
  static async open(config: Config, options: TimedOptions = {}): Promise<TimedEngine> {
    const timed = new TimedEngine(config, options);
    await timed.reopen();
    return timed;
  }

  get signatures(): SignatureStore {
    return this.engine.signatures;
  }

  get statements(): Engine["statements"] {
    return this.engine.statements;
  }

  /** The contents of the files of policies, with their imports, and of maps, by path. */
  get texts(): Engine["texts"] {
    return this.engine.texts;
  }

  get warnings(): readonly Warning[] {
    return this.engine.warnings;
  }

  attached(): ReturnType<Engine["attached"]> {
    return this.engine.attached();
  }

  policies(): ReturnType<Engine["policies"]> {
    return this.engine.policies();
  }

  serves(hook: HookName): boolean {
    return this.engine.serves(hook);
  }

  /** Whether the text of an attachment's policy names a fact. */
  reads(attachment: string, fact: string): boolean {
    return this.engine.reads(attachment, fact);
  }

  async decide<H extends HookName>(request: DecisionRequest<H>): Promise<Decision> {
    const [decision] = await this.decideAll([request]);
    return decision!;
  }

  /**
   * Decides about several requests, one after the other. Many share one time limit, since each takes 0.1 ms to set.
   * A request with `maps` sees these contents, and for other maps those of the configuration; it leaves no writes.
   */
  async decideAll(requests: readonly RequestWithMaps[]): Promise<readonly Decision[]> {
    const decisions: Decision[] = [];
    let overdue: SkippedAttachment[] = [];
    const decideNext = () => {
      const request = requests[decisions.length]!;
      const principal = principalOf(request.current);
      if (request.maps !== undefined) this.enter(request.maps);
      const decision = this.engine.decide(request, this.handover.skipped(overdue, principal));
      this.handover.record(decision);
      this.handover.recordFailures(this.engine.takeHarmful(), principal);
      if (request.maps !== undefined) this.leave();
      decisions.push(decision);
      overdue = [];
    };
    while (decisions.length < requests.length) {
      const isEnded = withTimeLimit(this.patience() + TOGETHER, () => {
        const end = monotonic() + TOGETHER;
        do decideNext();
        while (decisions.length < requests.length && monotonic() < end);
        return true;
      });
      if (isEnded !== null) continue;
      const late = this.watch.overdue(0);
      if (late === null)
        throw new CountersignError("INTERNAL", "the engine exceeded its time while no policy was running", {
          remedy: "try again when the machine is less busy",
        });
      overdue.push(this.handover.recordFailure(late, principalOf(requests[decisions.length]!.current)));
      await this.reopen();
    }
    return decisions;
  }

  /** Throws CONFIG_INVALID or MAP_INVALID for contents that maps cannot have. */
  requireContents(contents: MapContents): void {
    this.engine.requireContents(contents);
  }

  /** Logs what a shadow would decide otherwise. */
  logDifference(difference: ShadowDifference): void {
    this.engine.log.shadow(difference);
  }

  points(): ReturnType<Engine["points"]> {
    return this.engine.points();
  }

  /** Forgets all decisions: suspended attachments are asked again, and for maps see {@link Engine.resetMaps}. */
  reset(contents: MapContents): void {
    this.contents = contents;
    this.startHandover();
    this.engine.resetMaps(contents);
  }

  close(): void {
    this.engine.close();
    this.options.cache?.save();
  }

  private async reopen(): Promise<void> {
    const { sealed, texts = this.options.texts ?? null, statements } = this.engine ?? {};
    this.engine?.close();
    this.watch.answered();
    this.engine = await Engine.open(this.config, { ...this.options, sealed, watch: this.watch, texts, statements });
    if (this.contents !== null) this.engine.resetMaps(this.contents);
    this.engine.restore(this.handover.commits());
  }

  /** Gives maps contents of their own until {@link leave}; again, if the decision is repeated. */
  private enter(contents: MapContents): void {
    if (this.outer === null) {
      this.outer = this.handover;
      this.startHandover();
    }
    this.contents = contents;
    this.engine.resetMaps(contents);
  }

  private leave(): void {
    this.handover = this.outer!;
    this.outer = null;
    this.contents = null;
    this.engine.resetMaps({});
    this.engine.restore(this.handover.commits());
  }

  private startHandover(): void {
    this.handover = new ThreadHandoverState(this.config, () => this.engine.texts);
  }

  private patience(): number {
    return this.config.attachments.reduce((sum, { limits }) => sum + limits.timeout, GRACE);
  }
}
