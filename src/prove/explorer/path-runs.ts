import type { Limits } from "../../policy/attachment.js";
import { SHAPE } from "../../policy/domain.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import { ROOT_ON_HOST } from "../../policy/model/current.js";
import type { Outcome } from "../../policy/model/outcome.js";
import { notAsked, outcomeOfReply } from "../../policy/reply.js";
import type { HostFunctions } from "../../sandbox/host.js";
import { Module } from "../../sandbox/quickjs/module.js";
import { Runtime, type SavedRuntime } from "../../sandbox/runtime.js";
import { MODULE_MEMORY } from "../../sandbox/shared/limits.js";
import { EncodedSubjects } from "../../sandbox/subjects/encoded-subjects.js";
import { type Request, TEST_ANSWERS } from "../shared/atom.js";
import { EXPLORER_LIBRARY } from "./explorer-library.js";

/** A runtime with the compiled explorer. */
interface ExplorerRuntime {
  readonly runtime: Runtime;
  readonly stack: number;
  /** Before the explorer was evaluated. */
  readonly unused: SavedRuntime;
}

/** What each path begins with. */
interface Begun {
  readonly state: SavedRuntime;
  /** Steps and bytes that evaluating the explorer used: they are subtracted from the limits of each path. */
  readonly steps: number;
  readonly memory: number;
}

/** The runtime of the last exploration, for the next one. */
let idle: ExplorerRuntime | null = null;

/**
 * Runs a rewritten policy again and again. Each run begins with the same memory: that of a runtime in which the
 * explorer was evaluated and the policy compiled. Policies that are explored one after the other may get the same
 * runtime, which is then restored to every byte that it had before it saw a policy.
 */
export class PathRuns {
  #taken: ExplorerRuntime | null = null;
  #begun: Begun | null = null;

  readonly #functions: HostFunctions;

  /** `answer` answers what the explorer asks; null if there is no answer. */
  constructor(
    private readonly linked: LinkedPolicy,
    private readonly limits: Limits,
    answer: (request: Request) => unknown,
  ) {
    const answerLast = (requests: readonly Request[]) => requests.map(answer).at(-1) ?? null;
    this.#functions = {
      ...NO_FUNCTIONS,
      map_lookup: (_, text) => answerLast(JSON.parse(text) as Request[]),
      map_update: (_map, _key, requests) => numberOf(answerLast(requests as Request[])),
    };
  }

  /** Runs the policy. Never throws: every error becomes a fault in the outcome. */
  next(): Outcome {
    const { linked, limits } = this;
    const begun = this.#begun ?? this.#begin();
    if ("verdict" in begun) return begun;
    const { runtime } = this.#taken!;
    runtime.restore(begun.state, false);
    const left = { steps: limits.steps - begun.steps, memory: limits.memory - begun.memory, timeout: limits.timeout };
    const outcome = outcomeOfReply(this.#ask(runtime, left), linked, limits);
    if (!isUsable(runtime)) this.#taken = this.#begun = null;
    return outcome;
  }

  close(): void {
    const taken = this.#taken;
    this.#taken = this.#begun = null;
    if (taken === null || !taken.runtime.module.memory.hasInitialSize) return;
    taken.runtime.restore(taken.unused, true);
    idle = taken;
  }

  /** Evaluates the explorer and compiles the policy. Returns an outcome if that fails. */
  #begin(): Begun | Outcome {
    const { linked, limits } = this;
    try {
      this.#taken ??= takeRuntime(limits);
      const { runtime } = this.#taken;
      const before = runtime.size;
      const reply = this.#ask(runtime, limits);
      const outcome = outcomeOfReply(reply, linked, limits);
      if (outcome.fault !== null) {
        this.#taken = null;
        return outcome;
      }
      const memory = Math.max(0, runtime.size - before);
      runtime.load(linked.source);
      this.#begun = { state: runtime.save(), steps: reply.steps, memory };
      return this.#begun;
    } catch (error) {
      this.#taken = null;
      return notAsked(`the policy could not be started: ${(error as Error).message}`, linked.file);
    }
  }

  #ask(runtime: Runtime, limits: { steps: number; memory: number; timeout: number }) {
    return runtime.ask(0, null, ROOT_ON_HOST as unknown as Record<string, unknown>, limits, this.#functions);
  }
}

function takeRuntime(limits: Limits): ExplorerRuntime {
  const kept = idle;
  idle = null;
  if (kept !== null && kept.stack === limits.stack) return kept;
  const shape = { ...SHAPE, keyrings: [], recordsReads: false, asksHost: false };
  const runtime = new Runtime(new Module(), EXPLORER_LIBRARY, limits, shape, new EncodedSubjects(SHAPE.withheld));
  return { runtime, stack: limits.stack, unused: runtime.save() };
}

function isUsable({ module, mustDiscard }: Runtime): boolean {
  return !mustDiscard && !module.broken && module.size <= MODULE_MEMORY;
}

function numberOf(answer: unknown): number {
  if (answer === null) return TEST_ANSWERS.none;
  return answer === true ? TEST_ANSWERS.true : TEST_ANSWERS.false;
}

const NO_FUNCTIONS = {
  verify_signature: unasked,
  signer_of: unasked,
  verify_program: unasked,
  statement_of: unasked,
  signer_of_program: unasked,
  hash: unasked,
  map_delete: unasked,
};

function unasked(): never {
  throw new TypeError("a rewritten policy calls a helper itself");
}
