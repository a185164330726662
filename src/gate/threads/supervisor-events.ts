import type { CountersignError } from "../../error.js";
import type { Warning } from "../../warning.js";
import type { IssuedObject } from "../call/issued-objects.js";
import type { ToldDenial, Wrote } from "./messages.js";

/** What the supervisor reports to `run` or to the agent. */
export interface SupervisorEvents {
  /** Nobody is left under a listener's filter. */
  done(fd: number): void;
  /** Objects were issued to the tasks of a container, at most some milliseconds ago. */
  issued(containerKey: string, issued: readonly IssuedObject[]): void;
  /** Attachments wrote to maps. */
  wrote(wrote: readonly Wrote[]): void;
  /** The configuration was accepted, but this is probably a mistake in it. */
  warned(warning: Warning): void;
  /** An operation was denied, or would be without a dry run or audit: each reason once. */
  denial(denial: ToldDenial): void;
  /** The decision thread was terminated or replaced, and another one has taken over. */
  replaced(reason: string): void;
  /** In audit a decision could not be logged, and its operation was let through; reported once. */
  unlogged(error: CountersignError): void;
  /** A task made the gate wait and was killed. */
  killed(tid: number): void;
  /** The thread ended and no other one could be started: nothing is judged any more. */
  lost(error: CountersignError): void;
}
