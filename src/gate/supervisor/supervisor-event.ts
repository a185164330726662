import type { CountersignError } from "../../error.js";
import type { Warning } from "../../warning.js";
import type { IssuedObject } from "../call/issued-objects.js";
import type { AttachmentWrites, ReportedDenial } from "../messages/messages.js";

/** An event that the supervisor reports to `run` or to the agent. */
export type SupervisorEvent =
  /** No task has a listener's filter any more. */
  | { readonly is: "hangup"; readonly fd: number }
  /** Objects were issued to the tasks of a container in the last milliseconds. */
  | { readonly is: "issued"; readonly containerKey: string; readonly issued: readonly IssuedObject[] }
  /** Attachments wrote to maps. */
  | { readonly is: "mapWrites"; readonly answers: readonly AttachmentWrites[] }
  /** The configuration was accepted, but it probably contains a mistake. */
  | { readonly is: "warning"; readonly warning: Warning }
  /** An operation was denied, or would be without a dry run or audit. Each distinct denial is reported once. */
  | ReportedDenial
  /** The decision thread was terminated or replaced, and another one has taken over. */
  | { readonly is: "replaced"; readonly reason: string }
  /** In audit a decision could not be logged, and its operation was allowed. Reported once. */
  | { readonly is: "unlogged"; readonly error: CountersignError }
  /** The shadow decides no more; the gate goes on. */
  | { readonly is: "shadowStopped"; readonly error: CountersignError }
  /** A task made the gate wait and was killed. */
  | { readonly is: "taskKilled"; readonly tid: number }
  /**
   * Loads of a container wait, because too many of its programs were released. Reported once for each container, whose
   * name this is; null for the command of `run`.
   */
  | { readonly is: "throttled"; readonly container: string | null }
  /** The decision thread ended unexpectedly or cannot be replaced: no decisions are made any more. */
  | { readonly is: "lost"; readonly error: CountersignError };
