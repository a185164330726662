import { CallFailure, type RuleDenial } from "../../src/gate/call/failure.js";

/** How a step of a call fails: the errno, and the gate's denial if it is one; null where the step succeeds. */
export function failureOf(step: () => unknown): number | RuleDenial | null {
  try {
    step();
    return null;
  } catch (failure) {
    if (!(failure instanceof CallFailure)) throw failure;
    return failure.denial ?? failure.errno;
  }
}
