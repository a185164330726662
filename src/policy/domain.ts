import type { HostFunctions } from "../sandbox/host.js";
import { type EngineCode, engineCode } from "../sandbox/quickjs/engine.js";
import { Module } from "../sandbox/quickjs/module.js";
import { Runtime } from "../sandbox/runtime.js";
import { MODULE_MEMORY, MODULE_SHARE, SANDBOX_MEMORY } from "../sandbox/shared/limits.js";
import type { GuestShape } from "../sandbox/start.js";
import { EncodedSubjects } from "../sandbox/subjects/encoded-subjects.js";
import type { Limits } from "./attachment.js";
import type { LinkedPolicy } from "./linker/linker.js";
import { CURRENT_NUMBERS, CURRENT_OTHERS, CURRENT_RECORDS, type Current } from "./model/current.js";
import { GUEST_CONSTANTS } from "./model/guest.js";
import type { Outcome } from "./model/outcome.js";
import { DETACHED_SIGNATURE_TYPES } from "./model/signature-types.gen.js";
import { RandomNumbers } from "./random-numbers.js";
import { notAsked, outcomeOfReply } from "./reply.js";

/** What guests are made from: the virtual module, the fields of `current`, and the facts that no policy sees. */
export const SHAPE: Omit<GuestShape, "keyrings"> = {
  constants: GUEST_CONSTANTS,
  detached: DETACHED_SIGNATURE_TYPES,
  currentNumbers: CURRENT_NUMBERS,
  currentOthers: CURRENT_OTHERS,
  currentRecords: CURRENT_RECORDS,
  // Evidence is for people only, and the largest of a program's facts.
  withheld: ["evidence"],
};

/** A policy with its limits, and its runtime if it has one. */
export interface CachedPolicy {
  readonly policy: LinkedPolicy;
  readonly memory: number;
  readonly stack: number;
  runtime: Runtime | null;
  /** Whether it runs in a module of its own, because it broke a shared module or made it too large. */
  isolated: boolean;
}

/** A subject for each hook, like those that policies are asked about. */
export type ExampleSubjects = ReadonlyMap<string, object>;
export const NO_EXAMPLES: ExampleSubjects = new Map();

/** Estimated size of a runtime in bytes: a fixed part for the guest, and a part for the compiled policy. */
export function runtimeMemory({ source }: LinkedPolicy): number {
  return 210_000 + 6 * source.length;
}

/**
 * The policies of one domain, and the WASM modules that they run in. Policies of different domains share no memory.
 * Each distinct policy gets a runtime when it is first asked. The size of all runtimes together is bounded. To free
 * memory, a random runtime is evicted: with any fixed order, a working set above the bound would evict each policy just
 * before it is asked again.
 *
 * A policy that runs out of memory loses only its own runtime. A trap leaves the module's heap undefined, so the module
 * is discarded with all of its runtimes, and the policy gets a module of its own. Other policies lose their runtimes to
 * it only once.
 */
export class Domain {
  /** Number of runtimes that have been made. */
  made = 0;
  readonly #memory: number;
  readonly #code: EngineCode;
  readonly #shape: GuestShape;
  readonly #inUse: () => Iterable<CachedPolicy>;
  readonly #random = new RandomNumbers(1);
  readonly #cached = new Map<string, CachedPolicy>();
  /** The same by policy, which avoids computing the key. */
  readonly #byPolicy = new Map<LinkedPolicy, CachedPolicy>();
  readonly #shared = new Set<Module>();
  readonly #encodedSubjects = new EncodedSubjects(SHAPE.withheld);

  /**
   * `memory`: maximum size in bytes of all runtimes. `inUse`: the policies of the current decision, which are evicted
   * only if there are no others. `code`: the engine for the runtimes. `keyrings`: names of the host's keyrings; a call
   * that names another one is passed to the host even if there is no signature. `recordsReads`: whether the host is
   * told which facts policies read. `asksHost`: whether the host is also asked about signatures that do not exist.
   */
  constructor(
    options: {
      memory?: number;
      code?: EngineCode;
      inUse?: () => Iterable<CachedPolicy>;
      keyrings?: Iterable<string>;
      recordsReads?: boolean;
      asksHost?: boolean;
    } = {},
  ) {
    this.#memory = options.memory ?? SANDBOX_MEMORY;
    this.#code = options.code ?? engineCode();
    this.#inUse = options.inUse ?? (() => []);
    const { recordsReads = false, asksHost = false } = options;
    this.#shape = { ...SHAPE, keyrings: [...(options.keyrings ?? [])], recordsReads, asksHost };
  }

  /** The entry for a policy. Policies with the same text and limits share one runtime. */
  cached(policy: LinkedPolicy, { memory, stack }: Pick<Limits, "memory" | "stack">): CachedPolicy {
    const last = this.#byPolicy.get(policy);
    if (last !== undefined && last.memory === memory && last.stack === stack) return last;
    const key = `${policy.digest}/${memory}/${stack}`;
    const cached = this.#cached.get(key) ?? { policy, memory, stack, runtime: null, isolated: false };
    this.#cached.set(key, cached);
    this.#byPolicy.set(policy, cached);
    return cached;
  }

  /**
   * Makes a policy's runtime if it has none, and builds the examples in it that the policy would see, without asking
   * it. If that fails, `ask` tries again and returns the error as a fault.
   */
  prepare(cached: CachedPolicy, examples: ExampleSubjects = NO_EXAMPLES): void {
    if (cached.runtime === null) this.#make(cached);
    const { hooks, blind } = cached.policy;
    for (const [hook, subject] of examples) {
      const { runtime } = cached;
      const number = hooks.indexOf(hook);
      if (runtime === null || number === -1 || blind[number]) continue;
      if (!runtime.build(subject)) this.#remove(cached, runtime);
    }
  }

  /** Asks a policy: see {@link askCached}. */
  ask(
    policy: LinkedPolicy,
    limits: Limits,
    hook: string,
    subject: object,
    current: Current,
    functions: HostFunctions,
  ): Outcome {
    return this.askCached(this.cached(policy, limits), limits, hook, subject, current, functions);
  }

  /** Asks a policy. Never throws: every error becomes a fault in the outcome. */
  askCached(
    cached: CachedPolicy,
    limits: Limits,
    hook: string,
    subject: object,
    current: Current,
    functions: HostFunctions,
  ): Outcome {
    const { policy } = cached;
    const number = policy.hooks.indexOf(hook);
    if (number === -1) return notAsked(`the policy has no hook \`${hook}\``, policy.file);
    if (cached.runtime === null) {
      const failure = this.#make(cached);
      if (failure !== null)
        return { ...notAsked(`the policy could not be started: ${failure}`, policy.file), harmful: true };
    }
    const runtime = cached.runtime!;
    const shown = policy.blind[number] ? null : subject;
    const reply = runtime.ask(number, shown, current as unknown as Record<string, unknown>, limits, functions);
    const outcome = outcomeOfReply(reply, policy, limits);
    if (!runtime.mustDiscard && !runtime.module.broken && runtime.module.size <= MODULE_MEMORY) return outcome;
    this.#remove(cached, runtime);
    return runtime.mustDiscard ? { ...outcome, harmful: true } : outcome;
  }

  /** Discards all runtimes. If the domain is asked again, it makes new ones. */
  close(): void {
    for (const cached of this.#cached.values()) cached.runtime = null;
    this.#shared.clear();
  }

  /** Discards the runtime of a policy that broke the runtime or its module, or made the module too large. */
  #remove(cached: CachedPolicy, runtime: Runtime): void {
    const { module } = runtime;
    if (!module.broken && this.#evict(cached) && module.size <= MODULE_MEMORY) return;
    this.#retire(module);
    cached.isolated = true;
  }

  /** Makes a runtime. Returns null, or the error message if that fails. */
  #make(cached: CachedPolicy): string | null {
    const need = runtimeMemory(cached.policy);
    this.#makeRoom(need);
    const module = cached.isolated ? new Module(this.#code) : this.#moduleFor(need);
    try {
      cached.runtime = new Runtime(module, cached.policy.source, cached, this.#shape, this.#encodedSubjects);
      this.made += 1;
      return null;
    } catch (error) {
      this.#retire(module);
      cached.isolated = true;
      return (error as Error).message;
    }
  }

  /** A shared module that has room for `need` bytes, or a new one. */
  #moduleFor(need: number): Module {
    for (const module of this.#shared) if (this.#heldIn(module) + need <= MODULE_SHARE) return module;
    const module = new Module(this.#code);
    this.#shared.add(module);
    return module;
  }

  /** Size in bytes of all runtimes. */
  get held(): number {
    return this.#heldIn(null);
  }

  /** Size in bytes of the runtimes in one module; null means all modules. */
  #heldIn(module: Module | null): number {
    let held = 0;
    for (const { runtime } of this.#cached.values())
      if (runtime !== null && (module === null || runtime.module === module)) held += runtime.size;
    return held;
  }

  #makeRoom(need: number): void {
    let { held } = this;
    while (held + need > this.#memory) {
      const victim = this.#victim();
      if (victim === null) return;
      held -= victim.runtime!.size;
      const { module } = victim.runtime!;
      if (!this.#evict(victim)) this.#retire(module);
    }
  }

  #victim(): CachedPolicy | null {
    const inUse = new Set(this.#inUse());
    const made = [...this.#cached.values()].filter(({ runtime }) => runtime !== null);
    const others = made.filter((cached) => !inUse.has(cached));
    const candidates = others.length > 0 ? others : made;
    return candidates[this.#random.below(candidates.length)] ?? null;
  }

  /** Discards a runtime. Returns whether the module's heap is still consistent: see {@link Runtime.dispose}. */
  #evict(cached: CachedPolicy): boolean {
    const runtime = cached.runtime!;
    cached.runtime = null;
    return runtime.dispose();
  }

  /**
   * Drops a module with all of its runtimes, for garbage collection. A single runtime of a broken module cannot be
   * freed.
   */
  #retire(module: Module): void {
    this.#shared.delete(module);
    for (const cached of this.#cached.values()) if (cached.runtime?.module === module) cached.runtime = null;
  }
}
