/**
 * The same guest, and the same linked policies, in a context of node:vm: what JavaScript itself says. It has no limits
 * but steps, and holds nobody in; it is here for one suite to be asked of several engines.
 */
import { createContext, Script } from "node:vm";
import type { Limits } from "../../src/policy/attachment.js";
import { SHAPE } from "../../src/policy/domain.js";
import type { LinkedPolicy } from "../../src/policy/linker/linker.js";
import type { Current } from "../../src/policy/model/current.js";
import type { Outcome } from "../../src/policy/model/outcome.js";
import { outcomeOfReply } from "../../src/policy/reply.js";
import { GUEST } from "../../src/sandbox/guest.gen.js";
import type { HostFunctions } from "../../src/sandbox/host.js";
import { OVERRIDABLE, PERMITS } from "../../src/sandbox/permits.js";
import { SILENT, type Stop, type Told } from "../../src/sandbox/reply.js";
import * as layout from "../../src/sandbox/shared/buffer-layout.js";
import { EncodedSubjects } from "../../src/sandbox/subjects/encoded-subjects.js";
import { Subjects } from "../../src/sandbox/subjects/subjects.js";

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
    const integers = new Int32Array(layout.INTEGERS);
    const doubles = new Float64Array(layout.DOUBLES);
    const call = (given?: string) => answer(integers, given ?? "", subjects, subject, current, functions);
    const context = createContext({}, { codeGeneration: { strings: false, wasm: false } });
    new Script(THAWED).runInContext(context);
    const shaped = { ...SHAPE, keyrings: this.keyrings };
    const settings = JSON.stringify({ permits: { ...PERMITS, ...V8 }, overridable: OVERRIDABLE, ...shaped });
    const start = new Script(GUEST).runInContext(context);
    const [take, tell, put, drop, shape, share] = start(integers, doubles, call, settings) as Handles;
    const subjects = new Subjects(new EncodedSubjects(SHAPE.withheld), {
      shape: (script) => shape(new Script(script).runInContext(context)),
      share,
      put: (_, text) => put(text),
      drop,
    });
    const decide = take(new Script(policy.source, { filename: "policy" }).runInContext(context));
    integers[layout.SUBJECT] = subjects.slotOf(subject, Number.POSITIVE_INFINITY);
    integers[layout.STEPS] = limits.steps;
    integers[layout.HOOK] = policy.hooks.indexOf(hook);
    integers[layout.PRESENT] = current.container === null ? 0 : 1;
    SHAPE.currentNumbers.forEach((key, index) => {
      doubles[layout.CURRENT + index] = current[key as "pid"];
    });
    decide();
    const told: Told = { ...SILENT, ...(JSON.parse(tell()) as Partial<Told>) };
    const left = integers[layout.STEPS]!;
    const verdict = integers[layout.STATUS] === layout.ZERO ? 0 : doubles[layout.VERDICT]!;
    const quiet =
      integers[layout.STATUS] === layout.ZERO && left >= 0 && told.notesMade === 0 && told.refusalsMade === 0;
    const stop = whatStopped(integers, told);
    const reply = {
      stop,
      verdict,
      steps: limits.steps - Math.max(left, 0),
      told: quiet && stop === null ? null : told,
    };
    return outcomeOfReply(reply, policy, limits);
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

function whatStopped(integers: Int32Array, told: Told): Stop | null {
  if (integers[layout.UNUSED_DENIAL] !== 0) return "unused";
  if (integers[layout.STEPS]! < 0) return "steps";
  // V8 says so by an error alone
  if (told.error?.message === "Maximum call stack size exceeded") return "stack";
  if (integers[layout.STATUS] === layout.THREW) return "threw";
  return integers[layout.STATUS] === layout.WRONG ? "wrong" : null;
}

export function answer(
  integers: Int32Array,
  given: string,
  subjects: Subjects,
  subject: object,
  current: Current,
  functions: HostFunctions,
): string | undefined {
  const bytes = (at: number) => subjects.bytes(integers[at]!);
  try {
    switch (integers[layout.CALL]) {
      case layout.FIELD: {
        const path = SHAPE.currentOthers[integers[layout.FIRST]!]!.split(".");
        const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], current);
        return JSON.stringify(value ?? null);
      }
      case layout.MORE_STEPS:
        integers[layout.RESULT] = 0;
        return undefined;
      case layout.READ:
        return JSON.stringify([
          ...bytes(layout.FIRST).subarray(integers[layout.SECOND], integers[layout.SECOND]! + integers[layout.THIRD]!),
        ]);
      case layout.VERIFY_SIGNATURE: {
        const [keyring, type] = JSON.parse(given);
        const signature = integers[layout.SECOND]! < 0 ? null : bytes(layout.SECOND);
        integers[layout.RESULT] = functions.verify_signature(bytes(layout.FIRST), signature, keyring, type);
        return undefined;
      }
      case layout.SIGNER_OF: {
        const [keyring, type] = JSON.parse(given);
        const signature = integers[layout.SECOND]! < 0 ? null : bytes(layout.SECOND);
        return JSON.stringify(functions.signer_of(bytes(layout.FIRST), signature, keyring, type));
      }
      case layout.VERIFY_PROGRAM:
        integers[layout.RESULT] = functions.verify_program(subject, JSON.parse(given)[0]);
        return undefined;
      case layout.STATEMENT_OF:
        integers[layout.RESULT] = functions.statement_of(subject, JSON.parse(given)[0]);
        return undefined;
      case layout.SIGNER_OF_PROGRAM:
        return JSON.stringify(functions.signer_of_program(subject, JSON.parse(given)[0]));
      case layout.HASH:
        return functions.hash(JSON.parse(given)[0], bytes(layout.FIRST));
      case layout.MAP_LOOKUP: {
        const [map, key] = JSON.parse(given);
        const found = functions.map_lookup(map, key);
        return found === undefined ? undefined : JSON.stringify(found);
      }
      case layout.MAP_UPDATE: {
        const [map, key, value] = JSON.parse(given);
        integers[layout.RESULT] = functions.map_update(map, key, value);
        return undefined;
      }
      default: {
        const [map, key] = JSON.parse(given);
        integers[layout.RESULT] = functions.map_delete(map, key);
        return undefined;
      }
    }
  } catch {
    integers[layout.FAILED] = 1;
    return undefined;
  }
}
