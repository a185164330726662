import type { CountersignError } from "../../error.js";
import type { Warning } from "../../warning.js";
import type { IssuedObject } from "../call/issued-objects.js";
import type { ToldDenial, Wrote } from "./messages.js";

/** Events that the supervisor reports to `run` or to the agent. */
export interface SupervisorEvents {
  /** No task has a listener's filter any more. */
  done(fd: number): void;
  /** Objects were issued to the tasks of a container in the last milliseconds. */
  issued(containerKey: string, issued: readonly IssuedObject[]): void;
  /** Attachments wrote to maps. */
  wrote(wrote: readonly Wrote[]): void;
  /** The configuration was accepted, but it probably contains a mistake. */
  warned(warning: Warning): void;
  /** An operation was denied, or would be without a dry run or audit. Each distinct denial is reported once. */
  denial(denial: ToldDenial): void;
  /** The decision thread was terminated or replaced, and another one has taken over. */
  replaced(reason: string): void;
  /** In audit a decision could not be logged, and its operation was allowed. Reported once. */
  unlogged(error: CountersignError): void;
  /** A task made the gate wait and was killed. */
  killed(tid: number): void;
  /** The decision thread ended unexpectedly or cannot be replaced: no decisions are made any more. */
  lost(error: CountersignError): void;
}
