import { type EngineCode, engineCode } from "../sandbox/engine.js";
import type { HostFunctions } from "../sandbox/host.js";
import { MODULE_MEMORY, MODULE_SHARE, SANDBOX_MEMORY } from "../sandbox/limits.js";
import { Module } from "../sandbox/module.js";
import { Parcels } from "../sandbox/parcels.js";
import { Runtime } from "../sandbox/runtime.js";
import type { GuestShape } from "../sandbox/start.js";
import type { Limits } from "./attachment.js";
import { CURRENT_NUMBERS, CURRENT_OTHERS, CURRENT_RECORDS, type Current } from "./current.js";
import { GUEST_CONSTANTS, GUEST_SIGNATURE_TYPES } from "./guest.js";
import type { LinkedPolicy } from "./linker.js";
import type { Outcome } from "./outcome.js";
import { RandomNumbers } from "./random-numbers.js";
import { notAsked, outcomeOf } from "./reply.js";

/** What a guest is made of: the virtual module, the fields of `current`, and what of a subject no policy sees. */
export const SHAPE: Omit<GuestShape, "keyrings"> = {
  constants: GUEST_CONSTANTS,
  detached: GUEST_SIGNATURE_TYPES.filter((type) => type !== "MODSIG"),
  currentNumbers: CURRENT_NUMBERS,
  currentOthers: CURRENT_OTHERS,
  currentRecords: CURRENT_RECORDS,
  // for people, and by far the most of a program's facts
  withheld: ["evidence"],
};

/** A policy under its limits, and its runtime while there is one. */
export interface CachedPolicy {
  readonly policy: LinkedPolicy;
  readonly memory: number;
  readonly stack: number;
  runtime: Runtime | null;
  /** Runs in a module of its own from now on, because it broke a module that it shared or made it too large. */
  isolated: boolean;
}

/** An estimate of the bytes that a runtime takes: mostly for the guest, and what the policy's text is compiled to. */
export function runtimeMemory({ source }: LinkedPolicy): number {
  return 210_000 + 6 * source.length;
}

/**
 * The policies of one domain, and the WASM modules that they run in: policies of different domains share no memory. A
 * runtime is made for each distinct policy at first use. All of them together take no more than a number of bytes: to
 * make room, a runtime is chosen at random, since any fixed order would evict each policy just before it is asked
 * again.
 *
 * A policy that runs out of memory loses its own runtime. A trap leaves the module's heap undefined: the module goes
 * with all of its runtimes, and the policy gets a module of its own, so that its neighbours pay for it at most once.
 */
export class Domain {
  /** Runtimes that were made so far. */
  made = 0;
  readonly #memory: number;
  readonly #code: EngineCode;
  readonly #shape: GuestShape;
  readonly #inUse: () => Iterable<CachedPolicy>;
  readonly #random = new RandomNumbers(1);
  readonly #cached = new Map<string, CachedPolicy>();
  /** The same by policy, which saves computing the key. */
  readonly #byPolicy = new Map<LinkedPolicy, CachedPolicy>();
  readonly #shared = new Set<Module>();
  readonly #parcels = new Parcels(SHAPE.withheld);

  /**
   * `memory`: bytes that the runtimes may take together. `inUse`: the policies of the running decision, which are
   * evicted only if there is nothing else. `code`: the engine that the runtimes run on. `keyrings`: the names of those
   * that the host has; of others, the host is asked even where there is no signature.
   */
  constructor(
    options: {
      memory?: number;
      code?: EngineCode;
      inUse?: () => Iterable<CachedPolicy>;
      keyrings?: Iterable<string>;
    } = {},
  ) {
    this.#memory = options.memory ?? SANDBOX_MEMORY;
    this.#code = options.code ?? engineCode();
    this.#inUse = options.inUse ?? (() => []);
    this.#shape = { ...SHAPE, keyrings: [...(options.keyrings ?? [])] };
  }

  /** Where a policy's runtime is kept. Policies of the same text and limits share one. */
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
   * Makes a policy's runtime unless there is one. If that fails, `ask` tries again and returns the reason as a fault.
   */
  prepare(cached: CachedPolicy): void {
    if (cached.runtime === null) this.#make(cached);
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

  /** Asks a policy. Never throws: whatever goes wrong is a fault in the outcome. */
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
    const outcome = outcomeOf(reply, policy, limits);
    if (!runtime.spent && !runtime.module.broken && runtime.module.size <= MODULE_MEMORY) return outcome;
    this.#remove(cached, runtime);
    return runtime.spent ? { ...outcome, harmful: true } : outcome;
  }

  /** Ends the domain's runtimes; it makes new ones if it is asked again. */
  close(): void {
    for (const cached of this.#cached.values()) cached.runtime = null;
    this.#shared.clear();
  }

  /** Removes the runtime of a policy that broke it, broke its module, or made the module too large. */
  #remove(cached: CachedPolicy, runtime: Runtime): void {
    const { module } = runtime;
    if (!module.broken && this.#evict(cached) && module.size <= MODULE_MEMORY) return;
    this.#retire(module);
    cached.isolated = true;
  }

  /** Null, or why the runtime could not be made. */
  #make(cached: CachedPolicy): string | null {
    const need = runtimeMemory(cached.policy);
    this.#makeRoom(need);
    const module = cached.isolated ? new Module(this.#code) : this.#moduleFor(need);
    try {
      cached.runtime = new Runtime(module, cached.policy.source, cached, this.#shape, this.#parcels);
      this.made += 1;
      return null;
    } catch (error) {
      this.#retire(module);
      cached.isolated = true;
      return (error as Error).message;
    }
  }

  /** A shared module with that many bytes left, or a new one. */
  #moduleFor(need: number): Module {
    for (const module of this.#shared) if (this.#heldIn(module) + need <= MODULE_SHARE) return module;
    const module = new Module(this.#code);
    this.#shared.add(module);
    return module;
  }

  /** Bytes that its runtimes hold. */
  get held(): number {
    return this.#heldIn(null);
  }

  /** The same for the runtimes of a module, or all. */
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

  /** Returns whether the module's heap is still consistent: see {@link Runtime.dispose}. */
  #evict(cached: CachedPolicy): boolean {
    const runtime = cached.runtime!;
    cached.runtime = null;
    return runtime.dispose();
  }

  /**
   * Leaves a module with all of its runtimes to the garbage collector: in a broken one single runtimes cannot be freed.
   */
  #retire(module: Module): void {
    this.#shared.delete(module);
    for (const cached of this.#cached.values()) if (cached.runtime?.module === module) cached.runtime = null;
  }
}
