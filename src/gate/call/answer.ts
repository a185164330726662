import type { IssuedObject } from "./issued-objects.js";

/**
 * The reply to a call.
 *
 * - `result`: a return value, or a negative errno.
 * - `IssuedFd`: an fd that is installed in the task.
 * - `continue`: the kernel executes the call. This is safe only if the decision used nothing but registers, since the
 *   task can change its memory after the decision.
 * - `gone`: no reply, because the task has exited.
 */
export type Answer = { readonly result: number } | IssuedFd | "continue" | "gone";

/** An fd of the gate to install in the task. The gate's own fd is closed after that: see {@link Task.adopt}. */
export interface IssuedFd {
  readonly fd: number;
  /** The object to remember as issued; null for none, such as a link, or an object that was issued before. */
  readonly issued: IssuedObject | null;
}

/** Whether an answer installs an fd in the task. */
export function issuesFd(answer: Answer): answer is IssuedFd {
  return typeof answer === "object" && "fd" in answer;
}
