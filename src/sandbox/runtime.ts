import { CountersignError } from "../error.js";
import { StepBudget } from "./budget.js";
import { type HostFunctions, UnknownInput } from "./host.js";
import { HostBridge } from "./host-bridge.js";
import { NEVER, NO_BUDGET, NO_LIMIT, NOW, type SavedMemory } from "./quickjs/memory.js";
import type { Callbacks, JSContextPointer, JSRuntimePointer, JSValuePointer, Module } from "./quickjs/module.js";
import { type Reply, SILENT, type Stop, type Told } from "./reply.js";
import * as layout from "./shared/buffer-layout.js";
import { PREPARE_MEMORY, PREPARE_UNITS, SUBJECTS_KEPT, TOLD_MEMORY } from "./shared/limits.js";
import { type GuestShape, guestValue, type Handles } from "./start.js";
import { startedGuest } from "./started-guest.js";
import { subjectGuest } from "./subject-guest.js";
import { UnserializableError } from "./subjects/encoded-subject.js";
import type { EncodedSubjects } from "./subjects/encoded-subjects.js";
import { Subjects } from "./subjects/subjects.js";
import { TEXT_LOG2, UNITS_PER_STEP, weightOf } from "./subjects/weights.js";

/** A runtime at one time, between two decisions: see {@link Runtime.save}. */
export interface SavedRuntime {
  readonly memory: SavedMemory;
  readonly decision: JSValuePointer;
  readonly held: number;
  readonly litter: number;
}

/** One policy in a QuickJS runtime of its own. Only the constructor and {@link Runtime.load} throw. */
export class Runtime implements Callbacks {
  readonly module: Module;
  /** Set when the policy ran out of memory or trapped: the runtime must not be used again. */
  mustDiscard = false;
  readonly #runtime: JSRuntimePointer;
  readonly #context: JSContextPointer;
  readonly #handles: Handles;
  /** The linked policy: a function that makes one decision. */
  #decision: JSValuePointer;
  readonly #encodedSubjects: EncodedSubjects;
  #subjects: Subjects;
  /** The guest's ArrayBuffer owns this memory and frees it. */
  readonly #bufferPointer: number;
  /** Address of the one argument of a call. */
  readonly #argument: number;
  readonly #undefined: JSValuePointer;
  /** Bytes that a decision may use. */
  #budget: number;
  /** Bytes that the runtime held when its budget was last set: see `size`. */
  #held = 0;
  /** Bytes of garbage that decisions have left since the last collection. */
  #litter = 0;
  #isSaved = false;
  readonly #bridge: HostBridge;
  readonly #steps: StepBudget;
  #integers: Int32Array;
  #doubles: Float64Array;
  /** In milliseconds of performance.now(); 0 if it is set at the first interrupt. */
  #deadline = 0;
  #timeout = 0;
  #timedOut = false;
  #internal: string | undefined;
  #unanswered: string | undefined;
  /** What a helper was asked and nobody knows. */
  #unknown: string | undefined;

  /** Throws if the engine cannot start the guest, or cannot compile the policy. */
  constructor(
    module: Module,
    source: string,
    limits: { memory: number; stack: number },
    shape: GuestShape,
    encodedSubjects: EncodedSubjects,
  ) {
    this.module = module;
    this.#bridge = new HostBridge(shape);
    this.#steps = new StepBudget(module.memory);
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#budget = limits.memory;
    const guest = startedGuest(module, limits.stack, shape, this);
    this.#runtime = guest.runtime;
    this.#context = guest.context;
    this.#handles = guest.handles;
    this.#bufferPointer = guest.buffer;
    this.#argument = guest.buffer + 4 * layout.ARGUMENT;
    this.#integers = module.integers(guest.buffer, layout.INTEGERS);
    this.#doubles = module.doubles(guest.buffer + 4 * layout.INTEGERS, layout.DOUBLES);
    this.#undefined = module.ffi.QTS_GetUndefined() as unknown as JSValuePointer;
    this.#encodedSubjects = encodedSubjects;
    this.#subjects = this.#noSubjects();
    this.#decision = this.#taken(source);
  }

  /** Replaces the policy. Throws as the constructor; the runtime must then be discarded. */
  load(source: string): void {
    const { module } = this;
    module.memory.run(this.#bufferPointer);
    this.#free(this.#decision);
    this.#held = this.size;
    this.#fresh()[layout.BUDGET] = PREPARE_MEMORY;
    module.memory.units = PREPARE_UNITS;
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#decision = this.#taken(source);
  }

  /**
   * Saves the state of the runtime for {@link restore}. From now on no garbage is collected after a decision, since
   * `restore` drops it. The module must have no other runtime.
   */
  save(): SavedRuntime {
    this.#isSaved = true;
    const memory = this.module.memory.image();
    return { memory, decision: this.#decision, held: this.#held, litter: this.#litter };
  }

  /**
   * Returns to a state. Nothing of what was done since then is left; with `isWhole`, not even in memory that is not in
   * use. A runtime that must be discarded cannot be restored.
   */
  restore({ memory, decision, held, litter }: SavedRuntime, isWhole: boolean): void {
    this.module.memory.restore(memory, isWhole);
    this.#decision = decision;
    this.#held = held;
    this.#litter = litter;
    this.#subjects = this.#noSubjects();
  }

  /** Bytes of the module's heap that the runtime holds. Valid between decisions only. */
  get size(): number {
    return this.#held + NO_BUDGET - this.#fresh()[layout.BUDGET]!;
  }

  /** `subject` is null if the hook has none. `memory` is in bytes. */
  ask(
    hook: number,
    subject: object | null,
    current: Readonly<Record<string, unknown>>,
    limits: { steps: number; memory: number; timeout: number },
    functions: HostFunctions,
  ): Reply {
    this.#budget = limits.memory;
    this.#timedOut = false;
    this.#internal = undefined;
    this.#unanswered = undefined;
    this.#unknown = undefined;
    this.#timeout = limits.timeout;
    // Building a subject does not count against the policy's time
    this.#deadline = Number.POSITIVE_INFINITY;
    try {
      this.module.memory.run(this.#bufferPointer);
      const slot = subject === null ? NO_SUBJECT : this.#subjects.slotOf(subject, UNITS_PER_STEP * limits.steps);
      if (slot === -1) return { stop: "steps", verdict: 0, steps: limits.steps, told: SILENT };
      const charged = subject === null ? 0 : this.#subjects.weight;
      this.#deadline = 0;
      const integers = this.#fresh();
      this.#bridge.begin(subject, current, functions, integers, this.#doubles);
      const reply = this.#decide(hook, slot, limits.steps, charged);
      this.#collectGarbage();
      return reply;
    } catch (error) {
      // After a trap, or a stack overflow of the host, the module's memory is in an unknown state
      if (!(error instanceof UnserializableError)) this.mustDiscard = this.module.broken = true;
      const stop = this.module.memory.units < 0 ? "steps" : error instanceof RangeError ? "stack" : "internal";
      return { stop, verdict: 0, steps: limits.steps, told: { ...SILENT, host: describe(error) } };
    }
  }

  /**
   * Builds a subject without asking the policy, so that the first decision about a subject of the same shape takes less
   * time. Returns false if the runtime must be discarded.
   */
  build(subject: object): boolean {
    this.#deadline = Number.POSITIVE_INFINITY;
    try {
      this.module.memory.run(this.#bufferPointer);
      this.#subjects.slotOf(subject, Number.POSITIVE_INFINITY);
    } catch (error) {
      if (!(error instanceof UnserializableError)) this.mustDiscard = this.module.broken = true;
    }
    return !this.mustDiscard;
  }

  /**
   * Frees the runtime. Returns whether the module's heap is sound: every byte that the runtime took has been freed, and
   * nothing was written through a null pointer. False after a policy ran out of memory in a place where the engine did
   * not expect it; the module must then be replaced.
   */
  dispose(): boolean {
    const { module } = this;
    try {
      module.memory.run(this.#bufferPointer);
      this.#free(this.#decision, ...Object.values(this.#handles));
      // The guest's ArrayBuffer frees the shared buffer, which the guest did not allocate
      const held = this.size + module.blockSize(this.#bufferPointer);
      const freed = module.freeContext(this.#runtime, this.#context);
      return Math.abs(freed - held) <= HEAP_SLACK && module.memory.isLowEndIntact();
    } catch {
      module.broken = true;
      return false;
    }
  }

  interrupted(): boolean {
    const now = performance.now();
    // Most decisions end before the first interrupt and need not read the clock
    if (this.#deadline === 0) this.#deadline = now + this.#timeout;
    if (now < this.#deadline) return false;
    this.#timedOut = true;
    return true;
  }

  called(count: number, value: (index: number) => JSValuePointer): JSValuePointer {
    // An exception of the engine here must end the call that it is in
    const text = count > 0 ? this.module.readString(this.#context, value(0)) : "";
    const integers = this.#fresh();
    if (integers[layout.CALL] === layout.MORE_STEPS) {
      integers[layout.RESULT] = this.#steps.next();
      return 0 as JSValuePointer;
    }
    const answer = integers[layout.RAN_OUT] === 0 ? this.#answer(text) : this.#noAnswer();
    if (typeof answer === "string") return this.module.newString(this.#context, answer);
    if (answer !== undefined) this.#fresh()[layout.RESULT] = answer;
    return 0 as JSValuePointer;
  }

  /** Reports a failed call: there was no memory for its argument. The policy cannot continue. */
  #noAnswer(): undefined {
    this.#fresh()[layout.FAILED] = 1;
  }

  /** Evaluates a linked text, and takes it as the policy. */
  #taken(source: string): JSValuePointer {
    const { module } = this;
    const factory = this.#guestValue(module.evaluate(this.#context, source, "policy"));
    const decision = this.#guestValue(module.call(this.#context, this.#handles.take, [factory]));
    this.#free(factory);
    module.memory.units = NO_LIMIT;
    this.#held += PREPARE_MEMORY - this.#fresh()[layout.BUDGET]!;
    this.#fresh()[layout.BUDGET] = NO_BUDGET;
    return decision;
  }

  #noSubjects(): Subjects {
    const integers = () => this.#fresh();
    const guest = subjectGuest(this.module, this.#context, this.#handles, this.#argument, integers);
    return new Subjects(this.#encodedSubjects, guest);
  }

  #answer(text: string): number | string | undefined {
    const integers = this.#fresh();
    try {
      if (!this.#steps.pay(weightOf(integers, text, this.#bytes))) return this.#outOfSteps(integers);
      const answer = this.#bridge.answer(integers, text, this.#bytes);
      if (typeof answer === "string" && !this.#steps.pay(answer.length >> TEXT_LOG2)) return this.#outOfSteps(integers);
      return answer;
    } catch (error) {
      integers[layout.FAILED] = 1;
      if (error instanceof CountersignError) this.#unanswered = error.toString();
      else if (error instanceof UnknownInput) this.#unknown ??= error.message;
      else this.#internal = describe(error);
      return undefined;
    }
  }

  /** Reports a failed call: no steps are left. The policy cannot catch that: see policy/linker/meter.ts. */
  #outOfSteps(integers: Int32Array): undefined {
    integers[layout.FAILED] = 1;
    integers[layout.RAN_OUT] = layout.NO_STEPS;
  }

  #decide(hook: number, subject: number, steps: number, charged: number): Reply {
    const { ffi } = this.module;
    let integers = this.#fresh();
    integers[layout.STEPS] = this.#steps.begin(steps, charged);
    integers[layout.HOOK] = hook;
    integers[layout.SUBJECT] = subject;
    integers[layout.STATUS] = 0;
    this.#held += NO_BUDGET - integers[layout.BUDGET]!;
    integers[layout.BUDGET] = this.#budget;
    integers[layout.COLLECT] = this.#budget >> 1;
    integers[layout.FLOOR] = this.#budget >> 2;
    integers[layout.LITTER] = this.#litter;
    integers[layout.NOTES] = 0;
    integers[layout.RAN_OUT] = 0;
    integers[layout.REFUSALS] = 0;
    integers[layout.ANSWERS] = 0;
    integers[layout.FIELDS] = 0;
    integers[layout.UNKNOWN_FACT] = 0;
    integers[layout.UNUSED_DENIAL] = 0;
    const result = ffi.QTS_Call(this.#context, this.#decision, this.#undefined, 0, this.#argument as never);
    integers = this.#fresh();
    const status = integers[layout.STATUS]!;
    const left = integers[layout.STEPS]!;
    const verdict = status === layout.ZERO ? 0 : this.#doubles[layout.VERDICT]!;
    const ranOut = integers[layout.RAN_OUT]!;
    if (status === 0) return this.#stopped(result, ranOut, steps);
    const used = this.#steps.end(left);
    ffi.QTS_FreeValuePointer(this.#context, result);

    const calm =
      (status === layout.ZERO || status === layout.ANSWERED) &&
      used <= steps &&
      ranOut === 0 &&
      integers[layout.UNKNOWN_FACT] === 0 &&
      integers[layout.UNUSED_DENIAL] === 0 &&
      !this.#timedOut &&
      this.#internal === undefined &&
      this.#unknown === undefined;
    const silent = status === layout.ZERO && integers[layout.NOTES] === 0 && integers[layout.REFUSALS] === 0;
    if (calm && silent) return { stop: null, verdict, steps: used, told: null };
    const told = this.#tell();
    if (calm) return { stop: null, verdict, steps: used, told };
    const stop = this.#why(status, used > steps, ranOut);
    if (stop === "memory") this.mustDiscard = true;
    return { stop, verdict: 0, steps: Math.min(steps, used), told };
  }

  /** Counts the garbage that a decision left, and collects it if there is much. */
  #collectGarbage(): void {
    const integers = this.#fresh();
    const taken = this.#budget - integers[layout.BUDGET]!;
    this.#held += taken;
    this.#litter = integers[layout.LITTER]! + taken;
    integers[layout.BUDGET] = NO_BUDGET;
    integers[layout.COLLECT] = NEVER;
    if (this.#litter < this.#budget >> 3 || this.mustDiscard || this.#isSaved) return;
    this.#free(this.module.call(this.#context, this.#handles.forget, []));
    this.#fresh()[layout.COLLECT] = NOW;
    this.#free(this.module.ffi.QTS_NewObject(this.#context));
    this.#fresh()[layout.COLLECT] = NEVER;
    this.#litter = 0;
  }

  #why(status: number, outOfSteps: boolean, ranOut: number): Stop {
    if (this.#internal !== undefined) return "internal";
    if (this.#unknown !== undefined) return "unknown input";
    // An unknown fact is reported before a limit: it can be the cause, and the author must correct it
    if (this.#fresh()[layout.UNKNOWN_FACT] !== 0) return "unknown";
    if (this.#fresh()[layout.UNUSED_DENIAL] !== 0) return "unused";
    if (outOfSteps) return "steps";
    if (this.#timedOut) return "time";
    if (ranOut === layout.MEMORY) return "memory";
    if (ranOut === layout.STACK) return "stack";
    return status === layout.THREW ? "threw" : "wrong";
  }

  /** Handles a call that did not return normally: it was interrupted, or the guest could not report the reason. */
  #stopped(result: JSValuePointer, ranOut: number, steps: number): Reply {
    const error = this.module.exception(this.#context, result);
    let stack = "";
    if (error !== null) {
      // An interruption is the engine's own error, so reading its stack runs no code of the policy
      if (this.#timedOut) stack = this.module.readProperty(this.#context, error, "stack");
      this.#free(error);
    }
    this.#free(result);
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#free(this.module.call(this.#context, this.#handles.left, []));
    const used = this.#steps.end(this.#fresh()[layout.STEPS]!);
    const why = this.#why(layout.THREW, used > steps, ranOut);
    const stop = why === "threw" ? "internal" : why;
    if (!this.#timedOut) this.mustDiscard = true;
    const told = { ...SILENT, error: { name: "", message: "", stack }, host: this.#internal ?? this.#unknown };
    return { stop, verdict: 0, steps: Math.min(steps, used), told };
  }

  #tell(): Told {
    // The report must fit even if the policy used up its budget; the guest keeps it short
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#fresh()[layout.BUDGET]! += TOLD_MEMORY;
    const result = this.module.call(this.#context, this.#handles.tell, []);
    this.#fresh()[layout.BUDGET]! -= TOLD_MEMORY;
    const text = this.module.readString(this.#context, this.#guestValue(result));
    this.#free(result);
    return {
      ...SILENT,
      ...(JSON.parse(text) as Partial<Told>),
      host: this.#internal ?? this.#unknown ?? this.#unanswered,
    };
  }

  #guestValue(result: JSValuePointer): JSValuePointer {
    return guestValue(this.module, this.#context, result);
  }

  readonly #bytes = (number: number): Uint8Array => this.#subjects.bytes(number);

  /** The shared buffer. Its views are detached when the module's memory grows, and are then created again. */
  #fresh(): Int32Array {
    if (this.#integers.length === 0) {
      this.#integers = this.module.integers(this.#bufferPointer, layout.INTEGERS);
      this.#doubles = this.module.doubles(this.#bufferPointer + 4 * layout.INTEGERS, layout.DOUBLES);
    }
    return this.#integers;
  }

  #free(...values: JSValuePointer[]): void {
    for (const value of values) this.module.ffi.QTS_FreeValuePointer(this.#context, value);
  }
}

/** Tolerance of the heap check in bytes: the host allocates a few blocks itself, and the allocator rounds sizes up. */
const HEAP_SLACK = 64;

/** A slot that is never used. */
const NO_SUBJECT = SUBJECTS_KEPT;

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
