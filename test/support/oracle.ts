/**
 * The same guest, and the same linked policies, in a context of node:vm: what JavaScript itself says. It has no limits
 * but steps, and holds nobody in; it is here for one suite to be asked of several engines.
 */
import { createContext, Script } from "node:vm";
import type { Limits } from "../../src/policy/attachment.js";
import type { Current } from "../../src/policy/current.js";
import { SHAPE } from "../../src/policy/domain.js";
import type { LinkedPolicy } from "../../src/policy/linker.js";
import type { Outcome } from "../../src/policy/outcome.js";
import { outcomeOf } from "../../src/policy/reply.js";
import { EncodedSubjects } from "../../src/sandbox/encoded-subjects.js";
import { GUEST } from "../../src/sandbox/guest.gen.js";
import type { HostFunctions } from "../../src/sandbox/host.js";
import { OVERRIDABLE, PERMITS } from "../../src/sandbox/permits.js";
import { SILENT, type Stop, type Told } from "../../src/sandbox/reply.js";
import * as slot from "../../src/sandbox/slots.js";
import { Subjects } from "../../src/sandbox/subjects.js";

type Factory = (host: unknown) => () => void;
type Handles = [
  take: (factory: Factory) => () => void,
  tell: () => string,
  putSubject: (text: string) => void,
  dropSubject: () => void,
  putShape: (script: unknown) => void,
  putShared: (text: string) => void,
];

export class Oracle {
  constructor(private readonly keyrings: readonly string[]) {}

  ask(
    policy: LinkedPolicy,
    limits: Limits,
    hook: string,
    subject: object,
    current: Current,
    functions: HostFunctions,
  ): Outcome {
    const box = new Int32Array(slot.INTEGERS);
    const doubles = new Float64Array(slot.DOUBLES);
    const call = (given?: string) => answer(box, given ?? "", subjects, current, functions);
    const context = createContext({}, { codeGeneration: { strings: false, wasm: false } });
    new Script(THAWED).runInContext(context);
    const shaped = { ...SHAPE, keyrings: this.keyrings };
    const settings = JSON.stringify({ permits: { ...PERMITS, ...V8 }, overridable: OVERRIDABLE, ...shaped });
    const start = new Script(GUEST).runInContext(context);
    const [take, tell, put, drop, shape, share] = start(box, doubles, call, settings) as Handles;
    const subjects = new Subjects(new EncodedSubjects(SHAPE.withheld), {
      shape: (script) => shape(new Script(script).runInContext(context)),
      share,
      put: (_, text) => put(text),
      drop,
    });
    const decide = take(new Script(policy.source, { filename: "policy" }).runInContext(context));
    box[slot.SUBJECT] = subjects.slotOf(subject, Number.POSITIVE_INFINITY);
    box[slot.STEPS] = limits.steps;
    box[slot.HOOK] = policy.hooks.indexOf(hook);
    box[slot.PRESENT] = current.container === null ? 0 : 1;
    SHAPE.currentNumbers.forEach((key, index) => {
      doubles[slot.CURRENT + index] = current[key as "pid"];
    });
    decide();
    const told: Told = { ...SILENT, ...(JSON.parse(tell()) as Partial<Told>) };
    const left = box[slot.STEPS]!;
    const verdict = box[slot.STATUS] === slot.ZERO ? 0 : doubles[slot.VERDICT]!;
    const quiet = box[slot.STATUS] === slot.ZERO && left >= 0 && told.notesMade === 0 && told.refusalsMade === 0;
    const stop = whatStopped(box, told);
    const reply = {
      stop,
      verdict,
      steps: limits.steps - Math.max(left, 0),
      told: quiet && stop === null ? null : told,
    };
    return outcomeOf(reply, policy, limits);
  }
}

/**
 * What the guest relies on and V8 has otherwise: a context's global object cannot be frozen and has a constructor of
 * node's, and an error's `stack` is an accessor from V8 12 on (node 22), where the guest reads no accessors.
 */
const THAWED = `{
  const world = globalThis;
  const { freeze, getOwnPropertyDescriptor } = Object;
  delete Object.getPrototypeOf(world).constructor;
  Object.freeze = (object) => (object === world ? object : freeze(object));
  Reflect.getOwnPropertyDescriptor = Object.getOwnPropertyDescriptor = (object, key) => {
    const found = getOwnPropertyDescriptor(object, key);
    if (key !== "stack" || found?.get === undefined) return found;
    return { value: found.get.call(object), writable: true, enumerable: false, configurable: true };
  };
}`;

/** What V8 has that cannot be deleted, or that it needs to tell of a place. */
const V8 = { Symbol: `${PERMITS.Symbol} asyncDispose dispose`, Error: `${PERMITS.Error} stackTraceLimit` };

function whatStopped(box: Int32Array, told: Told): Stop | null {
  if (box[slot.UNUSED_DENIAL] !== 0) return "unused";
  if (box[slot.STEPS]! < 0) return "steps";
  // V8 says so by an error alone
  if (told.error?.message === "Maximum call stack size exceeded") return "stack";
  if (box[slot.STATUS] === slot.THREW) return "threw";
  return box[slot.STATUS] === slot.WRONG ? "wrong" : null;
}

export function answer(
  box: Int32Array,
  given: string,
  subjects: Subjects,
  current: Current,
  functions: HostFunctions,
): string | undefined {
  const bytes = (at: number) => subjects.bytes(box[at]!);
  try {
    switch (box[slot.CALL]) {
      case slot.FIELD: {
        const path = SHAPE.currentOthers[box[slot.FIRST]!]!.split(".");
        const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], current);
        return JSON.stringify(value ?? null);
      }
      case slot.MORE_STEPS:
        box[slot.RESULT] = 0;
        return undefined;
      case slot.READ:
        return JSON.stringify([...bytes(slot.FIRST).subarray(box[slot.SECOND], box[slot.SECOND]! + box[slot.THIRD]!)]);
      case slot.VERIFY_SIGNATURE: {
        const [keyring, type] = JSON.parse(given);
        const signature = box[slot.SECOND]! < 0 ? null : bytes(slot.SECOND);
        box[slot.RESULT] = functions.verify_signature(bytes(slot.FIRST), signature, keyring, type);
        return undefined;
      }
      case slot.HASH:
        return functions.hash(JSON.parse(given)[0], bytes(slot.FIRST));
      case slot.MAP_LOOKUP: {
        const [map, key] = JSON.parse(given);
        const found = functions.map_lookup(map, key);
        return found === undefined ? undefined : JSON.stringify(found);
      }
      case slot.MAP_UPDATE: {
        const [map, key, value] = JSON.parse(given);
        box[slot.RESULT] = functions.map_update(map, key, value);
        return undefined;
      }
      default: {
        const [map, key] = JSON.parse(given);
        box[slot.RESULT] = functions.map_delete(map, key);
        return undefined;
      }
    }
  } catch {
    box[slot.FAILED] = 1;
    return undefined;
  }
}
