/**
 * The same guest, and the same linked policies, on the public API of quickjs-emscripten: the engine as it is published,
 * without the patch. It does not record what ran out, so a policy can catch that; it is here for one suite to be asked
 * of several engines.
 */
import { createRequire } from "node:module";
// quickjs-emscripten exports all of core
import type { QuickJSContext, QuickJSHandle, QuickJSWASMModule } from "quickjs-emscripten-core";
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
import { answer } from "./oracle.js";

interface PublicApi {
  newQuickJSWASMModule(): Promise<QuickJSWASMModule>;
}

/** Bytes of the guest's stack, as a domain gives it. */
const STACK = 128 * 1024;

/** Those of src/sandbox/start.ts, by name. */
const INTRINSICS = {
  ...{ BaseObjects: true, Eval: true, StringNormalize: true, RegExp: true, RegExpCompiler: true, JSON: true },
  ...{ Proxy: true, MapSet: true, TypedArrays: true, BigInt: true },
};

export class PublicEngine {
  #quickjs: QuickJSWASMModule | undefined;

  constructor(private readonly keyrings: readonly string[]) {}

  /** Loads the engine: the release build, which is also the one that ships. */
  async ready(): Promise<void> {
    const api = createRequire(import.meta.url)("quickjs-emscripten") as PublicApi;
    this.#quickjs = await api.newQuickJSWASMModule();
  }

  ask(
    policy: LinkedPolicy,
    limits: Limits,
    hook: string,
    subject: object,
    current: Current,
    functions: HostFunctions,
  ): Outcome {
    const runtime = this.#quickjs!.newRuntime({ maxStackSizeBytes: STACK });
    const context = runtime.newContext({ intrinsics: INTRINSICS });
    let deadline = Number.POSITIVE_INFINITY;
    let timedOut = false;
    runtime.setInterruptHandler(() => {
      timedOut ||= performance.now() > deadline;
      return timedOut && deadline !== Number.POSITIVE_INFINITY;
    });
    const evaluate = (text: string, file: string) =>
      context.unwrapResult(context.evalCode(text, file, { type: "global" }));
    const call = (callee: QuickJSHandle, ...given: QuickJSHandle[]) =>
      context.unwrapResult(context.callFunction(callee, context.undefined, ...given));

    const integersHandle = evaluate(`new Int32Array(${layout.INTEGERS})`, "buffer");
    const doubles = evaluate(`new Float64Array(${layout.DOUBLES})`, "buffer");
    const integers = elements(context, integersHandle);
    const numbers = elements(context, doubles);
    const host = context.newFunction("call", (text) => {
      const given = text === undefined ? "" : context.getString(text);
      const said = answer(integers, given, subjects, subject, current, functions);
      return said === undefined ? context.undefined : context.newString(said);
    });
    const shaped = { ...SHAPE, keyrings: this.keyrings };
    const settings = context.newString(JSON.stringify({ permits: PERMITS, overridable: OVERRIDABLE, ...shaped }));
    const handles = call(evaluate(GUEST, "countersign"), integersHandle, doubles, host, settings);
    const [take, tell, put, drop, shape, share, left] = [0, 1, 2, 3, 4, 5, 6].map((at) => context.getProp(handles, at));
    const subjects = new Subjects(new EncodedSubjects(SHAPE.withheld), {
      shape: (script) => call(shape!, evaluate(script, "countersign")),
      share: (text) => call(share!, context.newString(text)),
      put: (place, text) => {
        integers[layout.SUBJECT] = place;
        call(put!, context.newString(text));
      },
      drop: (place) => {
        integers[layout.SUBJECT] = place;
        call(drop!);
      },
    });

    const decide = call(take!, evaluate(policy.source, "policy"));
    integers[layout.SUBJECT] = subjects.slotOf(subject, Number.POSITIVE_INFINITY);
    integers[layout.STEPS] = limits.steps;
    integers[layout.HOOK] = policy.hooks.indexOf(hook);
    integers[layout.PRESENT] = current.container === null ? 0 : 1;
    SHAPE.currentNumbers.forEach((key, index) => {
      numbers[layout.CURRENT + index] = current[key as "pid"];
    });
    deadline = performance.now() + limits.timeout;
    const result = context.callFunction(decide, context.undefined);
    deadline = Number.POSITIVE_INFINITY;
    let told: Told = SILENT;
    if (result.error === undefined) {
      told = { ...SILENT, ...(JSON.parse(context.getString(call(tell!))) as Partial<Told>) };
    } else {
      const error = context.dump(result.error) as NonNullable<Told["error"]>;
      told = { ...SILENT, error: { name: error.name, message: error.message, stack: error.stack ?? "" } };
      call(left!);
    }
    const steps = limits.steps - Math.max(integers[layout.STEPS]!, 0);
    const status = integers[layout.STATUS]!;
    const stop = timedOut ? "time" : whatStopped(integers, told);
    const verdict = status === layout.ZERO ? 0 : numbers[layout.VERDICT]!;
    const quiet = status === layout.ZERO && told.notesMade === 0 && told.refusalsMade === 0;
    return outcomeOfReply({ stop, verdict, steps, told: quiet && stop === null ? null : told }, policy, limits);
  }
}

/** The elements of a typed array of the guest: the public API shares no memory with the host. */
function elements(context: QuickJSContext, array: QuickJSHandle): Int32Array {
  return new Proxy(new Int32Array(0), {
    get: (_, index) => context.getNumber(context.getProp(array, Number(index))),
    set: (_, index, value: number) => {
      context.setProp(array, Number(index), context.newNumber(value));
      return true;
    },
  });
}

function whatStopped(integers: Int32Array, told: Told): Stop | null {
  if (integers[layout.UNKNOWN_FACT] !== 0) return "unknown";
  if (integers[layout.UNUSED_DENIAL] !== 0) return "unused";
  if (integers[layout.STEPS]! < 0) return "steps";
  // without the patch an error is all that says so
  if (told.error?.message === "stack overflow") return "stack";
  if (integers[layout.STATUS] === layout.THREW) return "threw";
  return integers[layout.STATUS] === layout.WRONG ? "wrong" : null;
}
