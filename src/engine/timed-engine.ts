import type { Config } from "../config/config.js";
import { CountersignError } from "../error.js";
import type { HookName } from "../hooks/catalogue.js";
import type { Decision } from "../hooks/decision.js";
import { withTimeLimit } from "../time-limit.js";
import type { SignatureStore } from "../trust/store.js";
import type { Warning } from "../warning.js";
import { Engine } from "./decision/engine.js";
import type { DecisionRequest } from "./decision/request.js";
import type { TestProbe } from "./decision/test-probe.js";
import { type SkippedAttachment, ThreadHandoverState } from "./handover/thread-handover-state.js";
import { DecisionWatch, PREPARE_TIMEOUT } from "./handover/watch.js";
import type { FileSnapshot } from "./load/file-cache.js";
import type { LinkCache } from "./load/link-cache.js";
import type { StatementStore } from "./statements/statement-store.js";

/**
 * Milliseconds that a decision may take in addition to its attachments' timeouts; this includes creating runtimes on a
 * busy machine.
 */
const GRACE = PREPARE_TIMEOUT;

/**
 * An engine in the caller's own thread, for a command that decides about a few files and exits, so that no thread has
 * to start. A policy that cannot be interrupted is stopped by the time limit of node:vm. The engine is unusable after
 * that, so it is opened again with its committed map writes, and the decision is repeated without asking that
 * attachment.
 */
export class TimedEngine {
  private readonly watch = new DecisionWatch();
  private handover!: ThreadHandoverState;
  private contents: Parameters<Engine["resetMaps"]>[0] | null = null;
  private engine!: Engine;

  private constructor(
    private readonly config: Config,
    private readonly cache: LinkCache | null,
    private readonly recordsReads: boolean,
    private readonly probe: TestProbe | null,
    private readonly given: FileSnapshot | null,
  ) {
    this.startHandover();
  }

  /**
   * `cache` has link results of earlier runs; {@link close} saves it. `texts` replace those of files. `recordsReads`,
   * `probe` and what is thrown are as for {@link Engine.open}.
   */
  static async open(
    config: Config,
    cache: LinkCache | null = null,
    recordsReads = false,
    probe: TestProbe | null = null,
    texts: FileSnapshot | null = null,
  ): Promise<TimedEngine> {
    const timed = new TimedEngine(config, cache, recordsReads, probe, texts);
    await timed.reopen();
    return timed;
  }

  get signatures(): SignatureStore {
    return this.engine.signatures;
  }

  get statements(): StatementStore {
    return this.engine.statements;
  }

  /** The contents of the files of policies, with their imports, and of maps, by path. */
  get texts(): FileSnapshot {
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
    const overdue: SkippedAttachment[] = [];
    for (;;) {
      const skipped = this.handover.skipped(overdue);
      const decision = withTimeLimit(this.patience(), () => this.engine.decide(request, skipped));
      if (decision !== null) {
        this.handover.record(decision);
        this.handover.recordFailures(this.engine.takeHarmful());
        return decision;
      }
      const late = this.watch.overdue(0);
      if (late === null)
        throw new CountersignError("INTERNAL", "the engine exceeded its time while no policy was running", {
          remedy: "try again when the machine is less busy",
        });
      overdue.push(this.handover.recordFailure(late));
      await this.reopen();
    }
  }

  points(): ReturnType<Engine["points"]> {
    return this.engine.points();
  }

  /** Forgets all decisions: suspended attachments are asked again, and for maps see {@link Engine.resetMaps}. */
  reset(contents: Parameters<Engine["resetMaps"]>[0]): void {
    this.contents = contents;
    this.startHandover();
    this.engine.resetMaps(contents);
  }

  close(): void {
    this.engine.close();
    this.cache?.save();
  }

  private async reopen(): Promise<void> {
    const { sealed, texts = this.given, statements } = this.engine ?? {};
    this.engine?.close();
    this.watch.answered();
    this.engine = await Engine.open(
      this.config,
      sealed,
      this.watch,
      texts,
      this.cache,
      null,
      statements,
      this.recordsReads,
      this.probe,
    );
    if (this.contents !== null) this.engine.resetMaps(this.contents);
    this.engine.restore(this.handover.commits());
  }

  private startHandover(): void {
    this.handover = new ThreadHandoverState(this.config, () => this.engine.texts);
  }

  private patience(): number {
    return this.config.attachments.reduce((sum, { limits }) => sum + limits.timeout, GRACE);
  }
}
