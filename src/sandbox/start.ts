import { GUEST } from "./guest.gen.js";
import { OVERRIDABLE, PERMITS } from "./permits.js";
import type { JSContextPointer, JSValuePointer, Module } from "./quickjs/module.js";
import * as layout from "./shared/buffer-layout.js";

/**
 * JS_AddIntrinsicBaseObjects, Eval, StringNormalize, RegExp, RegExpCompiler, JSON, Proxy, MapSet, TypedArrays,
 * BigInt.
 */
export const INTRINSICS = 1 | 4 | 8 | 16 | 32 | 64 | 128 | 256 | 512 | 2048;

/** The contents of a guest apart from the policy. */
export interface GuestShape {
  /** Constants of the virtual module. */
  readonly constants: Readonly<Record<string, string | number>>;
  /** Names of the host's keyrings, and types of detached signatures. See guest/bytes.ts. */
  readonly keyrings: readonly string[];
  readonly detached: readonly string[];
  /**
   * Fields of `current` that are numbers, and the others. A path `container.labels` is a field of an object that may be
   * null.
   */
  readonly currentNumbers: readonly string[];
  readonly currentOthers: readonly string[];
  /**
   * Those of the others that are objects with arbitrary keys, such as labels: they have only own keys, and any key may
   * be read.
   */
  readonly currentRecords: readonly string[];
  /** Fields of subjects that are not sent to the guest. */
  readonly withheld: readonly string[];
  /** Whether the guest tells the host which facts and fields of `current` the policy reads. */
  readonly recordsReads?: boolean;
  /** Whether the host is asked about signatures also where there is none, so that a test can answer. */
  readonly asksHost?: boolean;
}

/** Handles of the guest's functions, in the order of guest/main.ts. */
export interface Handles {
  readonly take: JSValuePointer;
  readonly tell: JSValuePointer;
  readonly putSubject: JSValuePointer;
  readonly dropSubject: JSValuePointer;
  readonly putShape: JSValuePointer;
  readonly putShared: JSValuePointer;
  /** Writes to the shared buffer the steps that the policy had left when it was stopped. */
  readonly left: JSValuePointer;
  /** Makes the guest drop its records of the last decision. */
  readonly forget: JSValuePointer;
}

/** Starts the guest in a new context; it locks itself down before it returns its handles. Throws a GuestError. */
export function startGuest(module: Module, context: JSContextPointer, address: number, shape: GuestShape): Handles {
  const value = (result: JSValuePointer) => guestValue(module, context, result);
  const guest = value(module.evaluate(context, GUEST, "countersign"));
  const buffer = module.ffi.QTS_NewArrayBuffer(context, address as never, layout.BUFFER_SIZE);
  const views = value(
    module.evaluate(
      context,
      `(buffer)=>[new Int32Array(buffer,0,${layout.INTEGERS}),` +
        `new Float64Array(buffer,${4 * layout.INTEGERS},${layout.DOUBLES})]`,
      "countersign",
    ),
  );
  const pair = value(module.call(context, views, [buffer]));
  const [integers, doubles] = [0, 1].map((index) => module.ffi.QTS_GetPropNumber(context, pair, index)) as [
    JSValuePointer,
    JSValuePointer,
  ];
  const call = module.newFunction(context);
  const settings = module.newString(context, JSON.stringify({ permits: PERMITS, overridable: OVERRIDABLE, ...shape }));
  const handles = value(module.call(context, guest, [integers, doubles, call, settings]));
  const handle = (index: number) => module.ffi.QTS_GetPropNumber(context, handles, index);
  const [take, tell, putSubject, dropSubject] = [handle(0), handle(1), handle(2), handle(3)];
  const [putShape, putShared, left, forget] = [handle(4), handle(5), handle(6), handle(7)];
  for (const one of [guest, buffer, views, pair, integers, doubles, call, settings, handles])
    module.ffi.QTS_FreeValuePointer(context, one);
  return { take, tell, putSubject, dropSubject, putShape, putShared, left, forget };
}

/**
 * The value of a result. Throws a GuestError if it is an exception. Only for results that no code of a policy produced.
 */
export function guestValue(module: Module, context: JSContextPointer, result: JSValuePointer): JSValuePointer {
  const error = module.exception(context, result);
  if (error === null) return result;
  throw new GuestError(module.readProperty(context, error, "message"));
}

/** The guest itself failed: it has no memory left, or does not fit the engine. */
export class GuestError extends Error {
  override readonly name = "GuestError";
}
