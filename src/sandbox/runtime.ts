import { CountersignError } from "../error.js";
import { GUEST } from "./guest.gen.js";
import type { HostFunctions } from "./host.js";
import { TOLD_MEMORY } from "./limits.js";
import type { Callbacks, JSContextPointer, JSRuntimePointer, JSValuePointer, Module } from "./module.js";
import { textOf } from "./parcel.js";
import { PERMITS } from "./permits.js";
import * as slot from "./slots.js";
import { Subjects } from "./subjects.js";

/** JS_AddIntrinsic…: BaseObjects, Eval, StringNormalize, RegExp, RegExpCompiler, JSON, MapSet, TypedArrays, BigInt. */
const INTRINSICS = 1 | 4 | 8 | 16 | 32 | 64 | 256 | 512 | 2048;

/** What a guest is made of, beside the policy. */
export interface GuestShape {
  /** Constants of the virtual module. */
  readonly constants: Readonly<Record<string, string | number>>;
  /** Fields of `current` that are numbers, and the others; `container.labels` for one of an object that may be null. */
  readonly currentNumbers: readonly string[];
  readonly currentOthers: readonly string[];
  /** Fields of subjects that do not cross. */
  readonly withheld: readonly string[];
}

/** What stopped a policy. */
export type Stop = "threw" | "wrong" | "fuel" | "time" | "memory" | "stack" | "internal";

export interface Reply {
  /** null when the policy answered with a number; `verdict` may still be any number. */
  readonly stop: Stop | null;
  readonly verdict: number;
  readonly fuel: number;
  /** Present for a refusal, a note, or a stop. */
  readonly told: Told | null;
}

/** What the guest has to say about a decision. */
export interface Told {
  readonly refusals: readonly (string | number)[];
  readonly notes: readonly string[];
  readonly notesMade: number;
  readonly answers: readonly unknown[];
  readonly answersMade: number;
  readonly error: {
    readonly name: string;
    readonly message: string;
    readonly stack: string;
    readonly ranOutOf: number;
  } | null;
  readonly wrong: string | null;
  /** What the host found out about a function that could not answer, for people outside of the guest. */
  readonly host?: string | undefined;
}

const SILENT: Told = { refusals: [], notes: [], notesMade: 0, answers: [], answersMade: 0, error: null, wrong: null };

/** Handles that the guest gives out when it starts, in the order of guest/main.ts. */
interface Handles {
  readonly take: JSValuePointer;
  readonly tell: JSValuePointer;
  readonly putSubject: JSValuePointer;
  readonly dropSubject: JSValuePointer;
}

/** One policy in a QuickJS runtime of its own. Never throws once it is made. */
export class Runtime implements Callbacks {
  readonly module: Module;
  /** Set when the policy ran out of memory or worse: the module is to be replaced. */
  spent = false;
  readonly #runtime: JSRuntimePointer;
  readonly #context: JSContextPointer;
  readonly #handles: Handles;
  /** The linked policy, ready to decide. */
  readonly #decision: JSValuePointer;
  readonly #subjects: Subjects;
  /** Owned by the guest's ArrayBuffer, which frees it. */
  readonly #boxPointer: number;
  readonly #noArguments: number;
  readonly #undefined: JSValuePointer;
  /** Bytes by which a decision may have the module's memory grow. */
  readonly #growth: number;
  readonly #shape: GuestShape;
  /** Paths of fields of `current`, and its fields that are objects of their own. */
  readonly #fields: readonly (readonly string[])[];
  readonly #inner: readonly string[];
  #box: Int32Array;
  #doubles: Float64Array;
  #functions: HostFunctions | null = null;
  #current: Readonly<Record<string, unknown>> = {};
  /** Milliseconds on the clock of `performance`; 0 while it has not been looked at. */
  #deadline = 0;
  #wall = 0;
  #timedOut = false;
  #internal: string | undefined;
  #unanswered: string | undefined;

  /** Throws when the engine cannot start the guest or the policy cannot be taken. */
  constructor(module: Module, source: string, limits: { memory: number; stack: number }, shape: GuestShape) {
    this.module = module;
    this.#shape = shape;
    this.#fields = shape.currentOthers.map((path) => path.split("."));
    this.#inner = [...new Set(this.#fields.filter((path) => path.length > 1).map(([first]) => first!))];
    this.#boxPointer = module.allocate(slot.BOX_SIZE);
    this.#noArguments = module.allocate(8);
    this.#box = module.integers(this.#boxPointer, slot.INTEGERS);
    this.#doubles = module.doubles(this.#boxPointer + 4 * slot.INTEGERS, slot.DOUBLES);
    this.#box.fill(0);
    this.#undefined = module.ffi.QTS_GetUndefined() as unknown as JSValuePointer;
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#growth = limits.memory;
    [this.#runtime, this.#context] = module.newContext(limits, INTRINSICS, this);
    this.#handles = this.#start();
    this.#subjects = new Subjects(
      shape.withheld,
      (text, number) => this.#put(text, number),
      (number) => this.#drop(number),
    );
    const factory = this.#value(module.evaluate(this.#context, source, "policy"));
    this.#decision = this.#value(module.call(this.#context, this.#handles.take, [factory]));
    this.#free(factory);
  }

  ask(
    hook: number,
    subject: object,
    current: Readonly<Record<string, unknown>>,
    limits: { fuel: number; wall: number },
    functions: HostFunctions,
  ): Reply {
    this.#functions = functions;
    this.#current = current;
    this.#timedOut = false;
    this.#internal = undefined;
    this.#unanswered = undefined;
    this.#wall = limits.wall;
    this.#deadline = 0;
    try {
      const slot = this.#subjects.slotOf(subject);
      this.module.memory.allow(this.#growth);
      return this.#decide(hook, slot, limits.fuel);
    } catch (error) {
      // a trap, or the end of the host's own stack: what is in the module's memory is anybody's guess
      this.spent = true;
      this.module.broken = true;
      const stop = error instanceof RangeError ? "stack" : "internal";
      return { stop, verdict: 0, fuel: limits.fuel, told: { ...SILENT, host: describe(error) } };
    } finally {
      this.module.memory.allow(Number.POSITIVE_INFINITY);
    }
  }

  dispose(): void {
    try {
      this.#free(this.#decision, ...Object.values(this.#handles));
      this.module.freeContext(this.#runtime, this.#context);
      this.module.free(this.#noArguments);
    } catch {
      this.module.broken = true;
    }
  }

  interrupted(): boolean {
    const now = performance.now();
    // most decisions end long before the first of these questions, and need not look at the clock
    if (this.#deadline === 0) this.#deadline = now + this.#wall;
    if (now < this.#deadline) return false;
    this.#timedOut = true;
    return true;
  }

  called(count: number, value: (index: number) => JSValuePointer): JSValuePointer {
    const box = this.#fresh();
    try {
      const text = count > 0 ? this.module.readString(this.#context, value(0)) : "";
      const answer = this.#answer(box[slot.CALL]!, text);
      if (typeof answer === "number") this.#fresh()[slot.RESULT] = answer;
      else if (answer !== undefined) return this.module.newString(this.#context, answer);
    } catch (error) {
      this.#fresh()[slot.FAILED] = 1;
      if (error instanceof CountersignError) this.#unanswered = error.toString();
      else this.#internal = describe(error);
    }
    return 0 as JSValuePointer;
  }

  /** A number goes into the box, text is given to the guest, undefined is nothing. */
  #answer(call: number, text: string): number | string | undefined {
    const functions = this.#functions!;
    const box = this.#box;
    const bytes = (at: number) => this.#subjects.bytes(box[at]!);
    switch (call) {
      case slot.FIELD:
        return this.#field(this.#fields[box[slot.FIRST]!]!);
      case slot.READ: {
        const from = box[slot.SECOND]!;
        return JSON.stringify([...bytes(slot.FIRST).subarray(from, from + box[slot.THIRD]!)]);
      }
      case slot.VERIFY_SIGNATURE: {
        const [keyring, type] = JSON.parse(text) as [string, string];
        const signature = box[slot.SECOND]! < 0 ? null : bytes(slot.SECOND);
        return functions.verify_signature(bytes(slot.FIRST), signature, keyring, type);
      }
      case slot.HASH:
        return JSON.stringify(functions.hash((JSON.parse(text) as [string])[0], bytes(slot.FIRST))).slice(1, -1);
      case slot.MAP_LOOKUP: {
        const [map, key] = JSON.parse(text) as [string, string];
        const found = functions.map_lookup(map, key);
        return found === undefined ? undefined : textOf(found);
      }
      case slot.MAP_UPDATE: {
        const [map, key, held] = JSON.parse(text) as [string, string, unknown];
        return functions.map_update(map, key, held);
      }
      case slot.MAP_DELETE: {
        const [map, key] = JSON.parse(text) as [string, string];
        return functions.map_delete(map, key);
      }
      default:
        throw new TypeError(`the guest made the call ${call}`);
    }
  }

  /** JSON of a field of `current`. The engine makes it of plain values; what is undefined is null to a policy. */
  #field([first, second]: readonly string[]): string {
    const value = this.#current[first!];
    return JSON.stringify((second === undefined ? value : (value as Record<string, unknown>)[second]) ?? null);
  }

  #present(): number {
    let bits = 0;
    for (let index = 0; index < this.#inner.length; index++)
      if ((this.#current[this.#inner[index]!] ?? null) !== null) bits |= 1 << index;
    return bits;
  }

  #decide(hook: number, subject: number, fuel: number): Reply {
    const { ffi } = this.module;
    let box = this.#fresh();
    const { currentNumbers } = this.#shape;
    for (let index = 0; index < currentNumbers.length; index++)
      this.#doubles[slot.CURRENT + index] = this.#current[currentNumbers[index]!] as number;
    box[slot.FUEL] = fuel;
    box[slot.HOOK] = hook;
    box[slot.SUBJECT] = subject;
    box[slot.STATUS] = 0;
    box[slot.NOTES] = 0;
    box[slot.SWALLOWED] = 0;
    box[slot.REFUSALS] = 0;
    box[slot.ANSWERS] = 0;
    box[slot.FIELDS] = 0;
    box[slot.PRESENT] = this.#present();
    const result = ffi.QTS_Call(this.#context, this.#decision, this.#undefined, 0, this.#noArguments as never);
    box = this.#fresh();
    const status = box[slot.STATUS]!;
    const left = box[slot.FUEL]!;
    const verdict = status === slot.ZERO ? 0 : this.#doubles[slot.VERDICT]!;
    const swallowed = box[slot.SWALLOWED]!;
    const used = fuel - Math.max(left, 0);
    if (status === 0) return { ...this.#stopped(result, used), verdict: 0, fuel: used };
    ffi.QTS_FreeValuePointer(this.#context, result);

    const calm =
      (status === slot.ZERO || status === slot.ANSWERED) &&
      left >= 0 &&
      swallowed === 0 &&
      !this.#timedOut &&
      !this.module.memory.refused &&
      this.#internal === undefined;
    if (calm && status === slot.ZERO && box[slot.NOTES] === 0) return { stop: null, verdict, fuel: used, told: null };
    const { refused } = this.module.memory;
    const told = this.#tell();
    if (calm) return { stop: null, verdict, fuel: used, told };
    const ranOutOf = swallowed || told.error?.ranOutOf || (refused ? slot.MEMORY : 0);
    const stop = this.#why(status, left, ranOutOf);
    if (stop === "memory") this.spent = true;
    return { stop, verdict: 0, fuel: used, told };
  }

  #why(status: number, left: number, ranOutOf: number): Stop {
    if (this.#internal !== undefined) return "internal";
    if (left < 0) return "fuel";
    if (this.#timedOut) return "time";
    if (ranOutOf === slot.MEMORY) return "memory";
    if (ranOutOf === slot.STACK) return "stack";
    return status === slot.THREW ? "threw" : "wrong";
  }

  /** The guest did not come back by itself: it was interrupted, or had no memory left to say what happened. */
  #stopped(result: JSValuePointer, fuel: number): { stop: Stop; told: Told; fuel: number } {
    const error = this.module.exception(this.#context, result);
    let stack = "";
    if (error !== null) {
      // an interruption is the engine's own error, and no code of the policy is run by reading its stack
      if (this.#timedOut) stack = this.module.readProperty(this.#context, error, "stack");
      this.#free(error);
    }
    this.#free(result);
    if (!this.#timedOut) this.spent = true;
    const told = { ...SILENT, error: { name: "", message: "", stack, ranOutOf: 0 }, host: this.#internal };
    return { stop: this.#timedOut ? "time" : this.#internal === undefined ? "memory" : "internal", told, fuel };
  }

  #tell(): Told {
    // what is told must fit even where the policy has used up all that it had; the guest keeps it short
    this.#deadline = Number.POSITIVE_INFINITY;
    this.module.memory.allow(TOLD_MEMORY);
    const result = this.module.call(this.#context, this.#handles.tell, []);
    const text = this.module.readString(this.#context, this.#value(result));
    this.#free(result);
    return { ...(JSON.parse(text) as Told), host: this.#internal ?? this.#unanswered };
  }

  #start(): Handles {
    const { module } = this;
    const context = this.#context;
    const guest = this.#value(module.evaluate(context, GUEST, "countersign"));
    const buffer = module.ffi.QTS_NewArrayBuffer(context, this.#boxPointer as never, slot.BOX_SIZE);
    const views = this.#value(
      module.evaluate(
        context,
        `(buffer)=>[new Int32Array(buffer,0,${slot.INTEGERS}),new Float64Array(buffer,${4 * slot.INTEGERS},${slot.DOUBLES})]`,
        "countersign",
      ),
    );
    const pair = this.#value(module.call(context, views, [buffer]));
    const [box, doubles] = [0, 1].map((index) => module.ffi.QTS_GetPropNumber(context, pair, index)) as [
      JSValuePointer,
      JSValuePointer,
    ];
    const call = module.newFunction(context);
    const settings = module.newString(context, JSON.stringify({ permits: PERMITS, ...this.#shape }));
    const handles = this.#value(module.call(context, guest, [box, doubles, call, settings]));
    const [take, tell, putSubject, dropSubject] = [0, 1, 2, 3].map((index) =>
      module.ffi.QTS_GetPropNumber(context, handles, index),
    ) as [JSValuePointer, JSValuePointer, JSValuePointer, JSValuePointer];
    this.#free(guest, buffer, views, pair, box, doubles, call, settings, handles);
    return { take, tell, putSubject, dropSubject };
  }

  #put(text: string, number: number): void {
    const [where, what] = [
      this.module.ffi.QTS_NewFloat64(this.#context, number),
      this.module.newString(this.#context, text),
    ];
    const result = this.module.call(this.#context, this.#handles.putSubject, [where, what]);
    this.#free(where, what);
    this.#free(this.#value(result));
  }

  #drop(number: number): void {
    const where = this.module.ffi.QTS_NewFloat64(this.#context, number);
    this.#free(this.module.call(this.#context, this.#handles.dropSubject, [where]), where);
  }

  /** The box, seen anew where the module's memory has grown. */
  #fresh(): Int32Array {
    if (this.#box.length === 0) {
      this.#box = this.module.integers(this.#boxPointer, slot.INTEGERS);
      this.#doubles = this.module.doubles(this.#boxPointer + 4 * slot.INTEGERS, slot.DOUBLES);
    }
    return this.#box;
  }

  /** A result that must not be an exception. Only our own code is run this way, and the policy's text when it is compiled. */
  #value(result: JSValuePointer): JSValuePointer {
    const error = this.module.exception(this.#context, result);
    if (error === null) return result;
    const message = this.module.readProperty(this.#context, error, "message");
    throw new GuestError(message);
  }

  #free(...values: JSValuePointer[]): void {
    for (const value of values) this.module.ffi.QTS_FreeValuePointer(this.#context, value);
  }
}

/** The guest itself could not go on: it has no memory left, or the engine is not the one that it was written for. */
export class GuestError extends Error {
  override readonly name = "GuestError";
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
