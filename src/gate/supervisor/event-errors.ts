import { CountersignError } from "../../error.js";
import type { SupervisorEvent } from "./supervisor-event.js";

/** Events that `run` and the agent report in the same way. The gate continues after each. */
type ReportedEvent = Extract<
  SupervisorEvent,
  { readonly is: "taskKilled" | "throttled" | "replaced" | "unlogged" | "shadowStopped" }
>;

/** Returns the error that a user sees for an event. */
export function errorOfEvent(event: ReportedEvent): CountersignError {
  switch (event.is) {
    case "taskKilled":
      return taskKilledError(event.tid);
    case "throttled":
      return throttledError(event.container);
    case "replaced":
      return replacedError(event.reason);
    case "unlogged":
    case "shadowStopped":
      return event.error;
  }
}

function replacedError(reason: string): CountersignError {
  return new CountersignError("GATE_FAILED", `the decision thread was replaced: ${reason}`, {
    remedy:
      "if this comes again, correct the policies for which the log has OUT_OF_TIME, or give the gate more CPU time",
  });
}

/** For a task that was killed because it kept the gate waiting past `gate.stall`. */
function taskKilledError(tid: number): CountersignError {
  return new CountersignError("GATE_FAILED", `task ${tid} made the gate wait for its memory and was killed`, {
    remedy: "if the task is not an attack, raise `gate.stall`, or keep its memory off slow storage and userfaultfd",
  });
}

/** For a container, or the command of `run` (null), whose loads wait. */
function throttledError(container: string | null): CountersignError {
  const who = container === null ? "the command" : `container \`${container}\``;
  return new CountersignError(
    "LOADS_THROTTLED",
    `loads of ${who} wait, because it loads and closes more programs in a second than \`gate.program_releases\``,
    { remedy: "find what loads them, or raise `gate.program_releases` if this machine's kernel can do more" },
  );
}
