import { isVerdict, verdictName } from "../errno.js";
import type { HostFunctions } from "../sandbox/host.js";
import { MODULE_MEMORY, RUNTIMES_KEPT } from "../sandbox/limits.js";
import { Module } from "../sandbox/module.js";
import { type GuestShape, type Reply, Runtime, type Stop, type Told } from "../sandbox/runtime.js";
import type { Limits } from "./attachment.js";
import { CURRENT_NUMBERS, CURRENT_OTHERS, type Current } from "./current.js";
import { GUEST_CONSTANTS } from "./guest.js";
import type { LinkedPolicy } from "./linker.js";
import type { Fault, FaultCode, Outcome } from "./outcome.js";

const SHAPE: GuestShape = {
  constants: GUEST_CONSTANTS,
  currentNumbers: CURRENT_NUMBERS,
  currentOthers: CURRENT_OTHERS,
};

/**
 * The policies of those who may write them, and the one WASM module that they run in: policies of different domains share
 * no memory. A runtime is made for each distinct policy at first use, and the least used one makes room; the module is
 * replaced when it broke, when a policy filled it, or when it has grown too far.
 */
export class Domain {
  readonly #kept: number;
  #module: Module | null = null;
  #runtimes = new Map<string, { runtime: Runtime; used: number }>();
  #clock = 0;

  /** `kept` is how many runtimes stay warm. */
  constructor(kept: number = RUNTIMES_KEPT) {
    this.#kept = kept;
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
    if (number === -1) return failed("INTERNAL_FAULT", `the policy has no hook \`${hook}\``, policy.file);
    let runtime: Runtime;
    try {
      runtime = this.#runtimeOf(policy, limits);
    } catch (error) {
      this.#replace();
      return failed("INTERNAL_FAULT", `the policy could not be started: ${(error as Error).message}`, policy.file);
    }
    const reply = runtime.ask(number, subject, current as unknown as Record<string, unknown>, limits, functions);
    if (runtime.spent || runtime.module.broken || runtime.module.size > MODULE_MEMORY) this.#replace();
    return outcomeOf(reply, policy, limits);
  }

  /** Ends the domain's runtimes; it makes new ones if it is asked again. */
  close(): void {
    this.#replace();
  }

  #runtimeOf(policy: LinkedPolicy, limits: Limits): Runtime {
    const key = `${policy.digest}/${limits.memory}/${limits.stack}`;
    const known = this.#runtimes.get(key);
    if (known !== undefined) {
      known.used = ++this.#clock;
      return known.runtime;
    }
    if (this.#runtimes.size >= this.#kept) this.#dropOldest();
    this.#module ??= new Module();
    const runtime = new Runtime(this.#module, policy.source, limits, SHAPE);
    this.#runtimes.set(key, { runtime, used: ++this.#clock });
    return runtime;
  }

  #dropOldest(): void {
    let oldest: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [key, { used }] of this.#runtimes) if (used < least) [oldest, least] = [key, used];
    if (oldest === undefined) return;
    const { runtime } = this.#runtimes.get(oldest)!;
    this.#runtimes.delete(oldest);
    runtime.dispose();
    if (runtime.module.broken) this.#replace();
  }

  /** Leaves the module as it is to the garbage collector: in one that broke, nothing can be freed by name. */
  #replace(): void {
    this.#module = null;
    this.#runtimes = new Map();
  }
}

const NONE: readonly never[] = Object.freeze([]);

function outcomeOf(reply: Reply, policy: LinkedPolicy, limits: Limits): Outcome {
  const { stop, verdict, fuel, told } = reply;
  if (stop === null && told === null) return { verdict, fault: null, reason: null, notes: NONE, answers: NONE, fuel };
  const fault =
    stop !== null ? faultOf(stop, told!, policy, limits) : isVerdict(verdict) ? null : badNumber(verdict, policy);
  return {
    verdict: fault === null ? verdict : null,
    fault,
    reason: fault === null ? reasonFor(verdict, told!) : null,
    notes: notesOf(told!),
    answers: answersOf(told!),
    fuel,
  };
}

/** What stopped a policy, to its code and words. */
const STOPS: Readonly<Record<Stop, readonly [FaultCode, (told: Told, limits: Limits) => string]>> = {
  threw: ["POLICY_ERROR", thrown],
  wrong: ["BAD_RETURN_VALUE", ({ wrong }) => `answered ${wrong}, not 0 or a negative errno`],
  fuel: ["OUT_OF_FUEL", (_, { fuel }) => `ran out of its ${fuel} units of fuel`],
  time: ["OUT_OF_TIME", (_, { wall }) => `took longer than its ${wall} ms`],
  memory: ["OUT_OF_MEMORY", (_, { memory }) => `ran out of its ${memory} bytes of memory`],
  stack: ["OUT_OF_STACK", (_, { stack }) => `ran out of its ${stack} bytes of stack`],
  internal: ["INTERNAL_FAULT", ({ host }) => host ?? "the sandbox failed"],
};

function faultOf(stop: Stop, told: Told, policy: LinkedPolicy, limits: Limits): Fault {
  const [code, message] = STOPS[stop];
  return { code, message: message(told, limits), place: placeOf(told, policy) };
}

function thrown({ error, host }: Told): string {
  const { name, message } = error!;
  const words = name === "" ? `threw ${message}` : `threw ${name}: ${message}`;
  return host === undefined ? words : `${words} (${host})`;
}

function badNumber(verdict: number, policy: LinkedPolicy): Fault {
  const value = Object.is(verdict, -0) ? "-0" : String(verdict);
  return { code: "BAD_RETURN_VALUE", message: `answered ${value}, not 0 or a negative errno`, place: policy.file };
}

/** The innermost frame of the stack that is in the policy's own text. */
function placeOf({ error }: Told, policy: LinkedPolicy): string {
  const [, line, column] = /\bpolicy:(\d+):(\d+)/.exec(error?.stack ?? "") ?? [];
  return line === undefined ? policy.file : policy.locate(Number(line), Number(column));
}

/** The words of the last `deny` that gave this very verdict. */
function reasonFor(verdict: number, { refusals }: Told): string | null {
  if (verdict === 0) return null;
  for (let index = refusals.length - 2; index >= 0; index -= 2)
    if (refusals[index] === verdict) return String(refusals[index + 1]);
  return null;
}

function notesOf({ notes, notesMade }: Told): readonly string[] {
  const left = notesMade - notes.length;
  return left > 0 ? [...notes, `${left} more notes were left out`] : notes;
}

/** Four values an answer: helper, two arguments, and what came of it. */
function answersOf({ answers, answersMade }: Told): readonly string[] {
  const lines: string[] = [];
  for (let index = 0; index < answers.length; index += 4) {
    const [helper, first, second, result] = answers.slice(index, index + 4);
    const asked = [helper, first, second].filter((part) => part !== "").map((part) => clip(String(part)));
    lines.push(`${asked.join(" ")}: ${resultName(result)}`);
  }
  const left = answersMade - lines.length;
  if (left > 0) lines.push(`${left} more answers were left out`);
  return lines;
}

function resultName(result: unknown): string {
  if (typeof result === "number") return verdictName(result);
  if (typeof result === "boolean") return result ? "found" : "not found";
  return clip(String(result));
}

function clip(text: string): string {
  return text.length > 256 ? `${text.slice(0, 255)}…` : text;
}

function failed(code: FaultCode, message: string, place: string): Outcome {
  return { verdict: null, fault: { code, message, place }, reason: null, notes: NONE, answers: NONE, fuel: 0 };
}
