import { type EngineCode, engineCode } from "../sandbox/engine.js";
import type { HostFunctions } from "../sandbox/host.js";
import { MODULE_MEMORY, RUNTIMES_KEPT } from "../sandbox/limits.js";
import { Module } from "../sandbox/module.js";
import { Runtime } from "../sandbox/runtime.js";
import type { GuestShape } from "../sandbox/start.js";
import type { Limits } from "./attachment.js";
import { CURRENT_NUMBERS, CURRENT_OTHERS, CURRENT_RECORDS, type Current } from "./current.js";
import { GUEST_CONSTANTS } from "./guest.js";
import type { LinkedPolicy } from "./linker.js";
import type { Outcome } from "./outcome.js";
import { notAsked, outcomeOf } from "./reply.js";

/** What a guest is made of: the virtual module, the fields of `current`, and what of a subject no policy sees. */
export const SHAPE: GuestShape = {
  constants: GUEST_CONSTANTS,
  currentNumbers: CURRENT_NUMBERS,
  currentOthers: CURRENT_OTHERS,
  currentRecords: CURRENT_RECORDS,
  // for people, and by far the most of a program's facts
  withheld: ["evidence"],
};

interface Kept {
  readonly runtime: Runtime;
  readonly memory: number;
  readonly stack: number;
  used: number;
}

/**
 * The policies of those who may write them, and the one WASM module that they run in: policies of different domains share
 * no memory. A runtime is made for each distinct policy at first use, and the least used one makes room; the module is
 * replaced when it broke, when a policy filled it, or when it has grown too far.
 */
export class Domain {
  readonly #kept: number;
  readonly #code: EngineCode;
  #module: Module | null = null;
  #runtimes = new Map<string, Kept>();
  /** The same, by the policies as they are asked: a look-up without making a key. */
  #warm = new Map<LinkedPolicy, Kept>();
  #clock = 0;

  /** `kept` is how many runtimes stay warm; `code` the engine that they run on. */
  constructor({ kept = RUNTIMES_KEPT, code = engineCode() }: { kept?: number; code?: EngineCode } = {}) {
    this.#kept = kept;
    this.#code = code;
  }

  /** Has a policy's runtime ready. What keeps it from being made is told by `ask`. */
  prepare(policy: LinkedPolicy, limits: Limits): void {
    try {
      this.#runtimeOf(policy, limits);
    } catch {
      this.#replace();
    }
  }

  /** Asks a policy. Never throws: whatever goes wrong is a fault in the outcome. */
  ask(
    policy: LinkedPolicy,
    limits: Limits,
    hook: string,
    subject: object,
    current: Current,
    functions: HostFunctions,
  ): Outcome {
    const number = policy.hooks.indexOf(hook);
    if (number === -1) return notAsked(`the policy has no hook \`${hook}\``, policy.file);
    let runtime: Runtime;
    try {
      runtime = this.#runtimeOf(policy, limits);
    } catch (error) {
      this.#replace();
      return notAsked(`the policy could not be started: ${(error as Error).message}`, policy.file);
    }
    const shown = policy.blind[number] ? null : subject;
    const reply = runtime.ask(number, shown, current as unknown as Record<string, unknown>, limits, functions);
    if (runtime.spent || runtime.module.broken || runtime.module.size > MODULE_MEMORY) this.#replace();
    return outcomeOf(reply, policy, limits);
  }

  /** Ends the domain's runtimes; it makes new ones if it is asked again. */
  close(): void {
    this.#replace();
  }

  #runtimeOf(policy: LinkedPolicy, limits: Limits): Runtime {
    const warm = this.#warm.get(policy);
    if (warm !== undefined && warm.memory === limits.memory && warm.stack === limits.stack) {
      warm.used = ++this.#clock;
      return warm.runtime;
    }
    const key = `${policy.digest}/${limits.memory}/${limits.stack}`;
    let kept = this.#runtimes.get(key);
    if (kept === undefined) {
      if (this.#runtimes.size >= this.#kept) this.#dropOldest();
      this.#module ??= new Module(this.#code);
      const runtime = new Runtime(this.#module, policy.source, limits, SHAPE);
      kept = { runtime, memory: limits.memory, stack: limits.stack, used: 0 };
      this.#runtimes.set(key, kept);
    }
    kept.used = ++this.#clock;
    this.#warm.set(policy, kept);
    return kept.runtime;
  }

  #dropOldest(): void {
    let oldest: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [key, { used }] of this.#runtimes) if (used < least) [oldest, least] = [key, used];
    if (oldest === undefined) return;
    const { runtime } = this.#runtimes.get(oldest)!;
    this.#runtimes.delete(oldest);
    for (const [policy, kept] of this.#warm) if (kept.runtime === runtime) this.#warm.delete(policy);
    runtime.dispose();
    if (runtime.module.broken) this.#replace();
  }

  /** Leaves the module as it is to the garbage collector: in one that broke, nothing can be freed by name. */
  #replace(): void {
    this.#module = null;
    this.#runtimes = new Map();
    this.#warm = new Map();
  }
}
