import type { Config } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import { HOOKS, type HookName } from "../../hooks/catalogue.js";
import type { Decision } from "../../hooks/decision.js";
import { UuidV7 } from "../../log/uuid-v7.js";
import { placing, placingAsync } from "../../path-places.js";
import type { Attachment } from "../../policy/attachment.js";
import { AttachmentIndex } from "../../policy/attachment-index.js";
import { Domain, type ExampleSubjects, NO_EXAMPLES } from "../../policy/domain.js";
import type { Point } from "../../policy/linker/points.js";
import type { PolicyMap } from "../../policy/maps/map.js";
import { MapView } from "../../policy/maps/map-view.js";
import type { Current } from "../../policy/model/current.js";
import type { Mode } from "../../policy/model/mode.js";
import { SignatureStore, signatureFolders } from "../../trust/store.js";
import type { Warning } from "../../warning.js";
import type { Commit } from "../handover/committed-writes.js";
import type { SkippedAttachment } from "../handover/suspension-list.js";
import { FileCache, type FileSnapshot } from "../load/file-cache.js";
import { type KeyringStatus, Keyrings, type SealedRules } from "../load/keyrings.js";
import { Loader } from "../load/loader.js";
import { StatementStore } from "../statements/statement-store.js";
import { type Placed, SandboxMemory } from "../warnings/sandbox-memory.js";
import { startWarnings } from "../warnings/start-warnings.js";
import { decidedBy } from "./decided-by.js";
import { dispatch } from "./dispatcher.js";
import { EngineLog, verdictsOf } from "./engine-log.js";
import type { EngineOptions } from "./engine-options.js";
import { Helpers, type Moment } from "./helpers.js";
import { PolicyAttachment } from "./policy-attachment.js";
import { ProgramSignatures } from "./program-signatures.js";
import type { DecisionRequest } from "./request.js";
import { requireContents, resetMaps } from "./reset-maps.js";
import { restoreMaps } from "./restored-maps.js";
import { RunningDecision } from "./running-decision.js";
import { subjectOfDecision } from "./subject-of-decision.js";
import { ProbedHelpers } from "./test-probe.js";
import type { Unasked } from "./unasked.js";

/** How many policies get their runtimes before they are first asked. A runtime takes 3 ms and 200 KB. */
const PREPARED = 16;

/** An attachment as {@link Engine.attached} lists it. */
export interface Attached {
  readonly name: string;
  /** `file:line:column` in the configuration. */
  readonly place: string;
  readonly hooks: readonly HookName[];
}

/**
 * A configuration with its policies, maps, keyrings and log, ready to decide. It is synchronous and stays in one
 * thread. A policy that does not return blocks it, so a caller that needs a time limit runs it in a decision thread
 * (engine/threads/thread.ts).
 */
export class Engine {
  private readonly attachmentIndex: AttachmentIndex;
  private prepared = 0;
  private closed = false;

  private constructor(
    private readonly config: Config,
    private readonly moment: Moment,
    private readonly attachments: readonly PolicyAttachment[],
    private readonly domains: ReadonlyMap<string, Domain>,
    private readonly running: RunningDecision,
    private readonly keyrings: Keyrings,
    private readonly state: {
      readonly maps: ReadonlyMap<string, PolicyMap>;
      /** Keyed by attachment name. */
      readonly views: ReadonlyMap<string, MapView>;
    },
    /** Detached signatures, by the SHA-256 of the signed data. */
    readonly signatures: SignatureStore,
    /** The statements in the folders of signatures, read when the first engine opened. */
    readonly statements: StatementStore,
    readonly log: EngineLog,
    /** Texts of policies and maps, for the engine that replaces this one under the same configuration. */
    readonly texts: FileSnapshot,
    /** Probable mistakes in the configuration or its policies. */
    readonly warnings: readonly Warning[],
  ) {
    this.attachmentIndex = new AttachmentIndex(attachments);
  }

  /**
   * Throws a CountersignError if anything that the configuration names cannot be used: an engine never starts with a
   * part of its configuration.
   */
  static async open(config: Config, options: EngineOptions = {}): Promise<Engine> {
    const { sealed, watch = null, texts = null, cache = null, recordsReads = false, probe = null } = options;
    const files = new FileCache(texts);
    const loader = new Loader(config, files, cache, probe?.marksPoints);
    const keyrings = new Keyrings(config.keyrings, sealed);
    const opened = options.folders ?? placing(config, () => signatureFolders(config.signatures));
    const signatures = new SignatureStore(opened);
    const statements = options.statements ?? placing(config, () => StatementStore.open(opened));
    const programs = new ProgramSignatures(statements);
    const moment: Moment = { time: 0, keyrings: new Map() };
    const placed = config.attachments.map((attachment): Placed => {
      const policy = loader.policy(attachment);
      return { ...attachment, policy, hooks: new Set(attachment.hooks ?? policy.hooks) };
    });
    const naming = config.attachments.map(({ name, domain }, number) => {
      return { name, domain, names: placed[number]!.policy.names };
    });
    const maps = loader.maps(naming);
    const views = new Map<string, MapView>();
    const memory = new SandboxMemory(config, placed);
    const running = new RunningDecision();
    const recordsCalls = config.log?.level === "inputs";
    const inUse = () => {
      const inScope = new Set<Attachment>(running.inScope);
      return attachments.filter((attachment) => inScope.has(attachment)).map(({ cached }) => cached);
    };
    const domains = new Map<string, Domain>();
    const attachments: PolicyAttachment[] = config.attachments.map((attachment, number) => {
      const { domain: name, mode } = attachment;
      const domain =
        domains.get(name) ??
        new Domain({
          memory: memory.share(name),
          inUse,
          keyrings: keyrings.byName.keys(),
          recordsReads,
          asksHost: probe !== null,
        });
      domains.set(name, domain);
      const view = new MapView(maps, mode, attachment.name);
      views.set(attachment.name, view);
      const helpers =
        probe === null
          ? new Helpers(keyrings.byName, view, moment, programs, recordsReads, recordsCalls)
          : new ProbedHelpers(probe, attachment.name, keyrings.byName, view, moment, programs, recordsReads);
      return new PolicyAttachment(attachment, placed[number]!.policy, domain, helpers, view, number, running, watch);
    });
    const policies = placed.map(({ policy }) => policy);
    const configuration = () => decidedBy(config, policies, keyrings.digests(), files.texts);
    const log = await placingAsync(config, () => EngineLog.open(config, configuration));
    const warnings = startWarnings(config, { loader, files, maps, memory, placed, naming, statements });
    const state = { maps, views };
    return new Engine(
      config,
      moment,
      attachments,
      domains,
      running,
      keyrings,
      state,
      signatures,
      statements,
      log,
      files.texts,
      warnings,
    );
  }

  /**
   * Decides. A failure of a policy becomes part of the decision; the only error is ENGINE_CLOSED. `skipped` are
   * attachments, by their number in the configuration, that are not asked and return the given fault.
   */
  decide<H extends HookName>(
    { hook, subject, current, missingCapabilities, operation, time }: DecisionRequest<H>,
    skipped: readonly SkippedAttachment[] = [],
  ): Decision {
    if (this.closed)
      throw new CountersignError("ENGINE_CLOSED", "the engine has been closed", { remedy: "open another one" });
    // Refresh keyrings only here, so that one decision uses one generation of each
    const now = Date.now();
    for (const change of this.keyrings.refresh(now)) this.log.keyring(change);
    const judged = time ?? now;
    this.moment.time = judged;
    if (this.moment.keyrings.size > 0) this.moment.keyrings.clear();
    const rules = { default: this.config.default[hook], mode: this.config.mode };
    for (const [number, fault] of skipped) this.attachments[number]?.skipWith(fault);
    this.running.inScope = this.attachmentIndex.inScope(hook, current);
    const result = dispatch(
      missingCapabilities === undefined ? { hook, subject, current } : { hook, subject, current, missingCapabilities },
      this.running.inScope,
      rules,
    );
    for (const [number] of skipped) this.attachments[number]?.skipWith(null);
    const decision = {
      id: IDS.next(now),
      time: now,
      judged_time: judged,
      hook,
      subject: subjectOfDecision(hook, subject),
      current,
      operation: operation ?? null,
      // Copied one by one: V8 creates and reads objects from a spread more slowly
      mode: result.mode,
      verdict: result.verdict,
      enforced_verdict: result.enforced_verdict,
      denied_by: result.denied_by,
      audit_denials: result.audit_denials,
      answers: result.answers,
      keyrings: this.moment.keyrings.size === 0 ? NO_KEYRINGS : Object.fromEntries(this.moment.keyrings),
      duration_us: result.duration_us,
    };
    return this.log.write(result.grants === undefined ? decision : { ...decision, grants: result.grants }, subject);
  }

  /**
   * Creates the runtimes of the first policies, and builds `examples` in them, so that the first decision does not wait
   * for that. A gate calls this at start.
   */
  prepare(examples: ExampleSubjects = NO_EXAMPLES): void {
    while (this.prepareNext(NONE_FAILING, examples)) {}
  }

  /**
   * Creates the runtime of one more policy, or does a part of the log's idle work; called by an idle thread. Returns
   * false when nothing is left. `failing`: numbers of attachments whose runtimes are created when they are asked.
   */
  prepareNext(failing: ReadonlySet<number> = NONE_FAILING, examples: ExampleSubjects = NO_EXAMPLES): boolean {
    const next = this.prepared < PREPARED ? this.attachments[this.prepared] : undefined;
    if (!failing.has(this.prepared)) next?.prepare(examples);
    this.prepared += 1;
    return next !== undefined || this.log.idleStep();
  }

  /** Number of runtimes created since the engine was opened. */
  get runtimesMade(): number {
    return [...this.domains.values()].reduce((sum, { made }) => sum + made, 0);
  }

  /** Returns and clears the attachments, by number, whose policies lost their runtime or module. */
  takeHarmful(): readonly number[] {
    const { harmful } = this.running;
    if (harmful.length > 0) this.running.harmful = [];
    return harmful;
  }

  /** Whether a decision on this hook can contain a denial or an audit denial. If not, no policy needs to be asked. */
  serves(hook: HookName): boolean {
    return this.config.default[hook] !== "allow" || this.attachments.some(({ hooks }) => hooks.has(hook));
  }

  /** Whether the text of an attachment's policy names a fact, or a helper that returns it. */
  reads(attachment: string, fact: string): boolean {
    const policy = this.named(attachment);
    return policy !== undefined && [fact, ...(HELPERS_FOR[fact] ?? [])].some((word) => policy.names(word));
  }

  /** Whether any attachment may grant capabilities to a task. */
  get delegates(): boolean {
    return this.attachments.some(({ delegates }) => delegates);
  }

  /** `audit` in a dry run, which denies nothing. */
  get mode(): Mode {
    return this.config.mode;
  }

  /** The first enforcing attachment in scope at a hook that may grant capabilities; null if there is none. */
  granting(hook: HookName, current: Current): string | null {
    const inScope = this.attachmentIndex.inScope(hook, current);
    return inScope.find(({ delegates, mode }) => delegates && mode === "enforce")?.name ?? null;
  }

  /** Whether any attachment in scope at a hook grants capabilities, or records in audit which it would grant. */
  hasGranting(hook: HookName, current: Current): boolean {
    return this.attachmentIndex.inScope(hook, current).some(({ delegates }) => delegates);
  }

  /** The first enforcing attachment in scope at a hook that requires maps to be frozen; null if there is none. */
  freezer(hook: HookName, current: Current): string | null {
    const inScope = this.attachmentIndex.inScope(hook, current);
    return inScope.find(({ freezes, mode }) => freezes && mode === "enforce")?.name ?? null;
  }

  /**
   * Logs a decision made without policies, such as a denial by the gate itself. If it cannot be logged, the result is a
   * denial.
   */
  record({ hook, subject: { name, digest, id }, current, operation, denied_by, loader_probe }: Unasked): Decision {
    const subject = { kind: HOOKS[hook].subject, name, digest, path: null };
    const now = Date.now();
    const verdicts = verdictsOf(denied_by, this.config.mode);
    const decision = {
      id: IDS.next(now),
      time: now,
      judged_time: now,
      hook,
      subject: id === undefined ? subject : { ...subject, id },
      current,
      operation,
      mode: verdicts.mode,
      verdict: verdicts.verdict,
      enforced_verdict: verdicts.enforced_verdict,
      denied_by: verdicts.denied_by,
      audit_denials: verdicts.audit_denials,
      answers: NO_ANSWERS,
      keyrings: NO_KEYRINGS,
      duration_us: 0,
    };
    return this.log.write(loader_probe === undefined ? decision : { ...decision, loader_probe });
  }

  /** Each attachment with its place in the configuration and its hooks. */
  attached(): readonly Attached[] {
    return this.attachments.map(({ name, hooks }, number) => ({
      name,
      place: this.config.attachments[number]!.place,
      hooks: [...hooks] as HookName[],
    }));
  }

  /**
   * Bytes of memory that each attachment's runtime holds; null if it has none yet. Attachments of one domain with the
   * same policy and limits share a runtime.
   */
  memory(): readonly { readonly attachment: string; readonly bytes: number | null }[] {
    return this.attachments.map(({ name, cached }) => ({ attachment: name, bytes: cached.runtime?.size ?? null }));
  }

  /** Each attachment with the file of its policy, and the SHA-256 of the policy with what it imports. */
  policies(): readonly { readonly attachment: string; readonly file: string; readonly sha256: string }[] {
    return this.config.attachments.map(({ name, policy }, number) => {
      return { attachment: name, file: policy, sha256: this.attachments[number]!.policyDigest };
    });
  }

  /** The state of each keyring: its generation, and how often its files could not be used. */
  keyringStatus(): readonly KeyringStatus[] {
    return this.keyrings.status();
  }

  /** The rules of sealed keyrings, for the next engine in the same process. */
  get sealed(): SealedRules {
    return this.keyrings.sealed;
  }

  /** Incremented by each change of {@link sealed}: each CRL that a sealed keyring accepts. */
  get sealedVersion(): number {
    return this.keyrings.sealedVersion;
  }

  /** Uses the CRLs that sealed keyrings accepted in an earlier thread. */
  adopt(sealed: SealedRules): void {
    this.keyrings.adopt(sealed);
    this.log.reconfigure();
  }

  /** Repeats map writes that attachments committed in an earlier engine, the last one to each key. */
  restore(commits: readonly Commit[]): void {
    restoreMaps(this.state.maps, this.state.views, commits);
  }

  /**
   * Gives each map the contents that are given by its name, or else those that it started with, and forgets what
   * attachments in audit wrote.
   */
  resetMaps(contents: Readonly<Record<string, Readonly<Record<string, unknown>>>>): void {
    resetMaps(this.config.maps, this.texts, this.state.maps, contents);
    for (const view of this.state.views.values()) view.reset();
  }

  /** Throws CONFIG_INVALID or MAP_INVALID for contents that {@link resetMaps} cannot give to maps. */
  requireContents(contents: Readonly<Record<string, Readonly<Record<string, unknown>>>>): void {
    requireContents(this.config.maps, this.state.maps, contents);
  }

  /** The points of each attachment's policy, by the attachment's name; see {@link LinkedPolicy.points}. */
  points(): ReadonlyMap<string, readonly Point[]> {
    return new Map(this.attachments.map(({ name, points }) => [name, points]));
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const domain of this.domains.values()) domain.close();
    this.log.close();
  }

  private named(name: string): PolicyAttachment | undefined {
    return this.attachments.find((attachment) => attachment.name === name);
  }
}

/** Shared by all engines of a thread, so that its ids increase. */
const IDS = new UuidV7();

/** The helpers that return a fact, or a part of it. */
const HELPERS_FOR: Readonly<Record<string, readonly string[]>> = { statements: ["statement_of"] };

const NONE_FAILING: ReadonlySet<number> = new Set();

/** Shared, since decisions without policies have no answers, and most decisions use no keyring. */
const NO_ANSWERS: readonly never[] = Object.freeze([]);
const NO_KEYRINGS: Readonly<Record<string, number>> = Object.freeze({});
