import type { JSContextPointer, JSValuePointer, Module } from "./quickjs/module.js";
import { ARGUMENT, SUBJECT } from "./shared/buffer-layout.js";
import { guestValue, type Handles } from "./start.js";
import type { SubjectGuest } from "./subjects/subjects.js";

/** The guest's functions for subjects in a context. `argument` is the address of ARGUMENT in the shared buffer. */
export function subjectGuest(
  module: Module,
  context: JSContextPointer,
  { putShape, putShared, putSubject, dropSubject }: Handles,
  argument: number,
  integers: () => Int32Array,
): SubjectGuest {
  const { ffi } = module;
  const noThis = ffi.QTS_GetUndefined() as unknown as JSValuePointer;
  const checked = (result: JSValuePointer) => guestValue(module, context, result);
  const free = (value: JSValuePointer) => ffi.QTS_FreeValuePointer(context, value);
  /** Calls the guest with one value, and frees the value. */
  const give = (callee: JSValuePointer, value: JSValuePointer) => {
    integers()[ARGUMENT] = value;
    const result = checked(ffi.QTS_Call(context, callee, noThis, 1, argument as never));
    free(value);
    free(result);
  };
  return {
    shape: (script) => give(putShape, checked(module.evaluate(context, script, "countersign"))),
    share: (text) => give(putShared, module.newString(context, text)),
    put(slot, text) {
      integers()[SUBJECT] = slot;
      give(putSubject, module.newString(context, text));
    },
    drop(slot) {
      integers()[SUBJECT] = slot;
      free(checked(module.call(context, dropSubject, [])));
    },
  };
}
