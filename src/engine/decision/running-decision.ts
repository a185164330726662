import type { Attachment } from "../../policy/attachment.js";

/** State of the current decision, shared by an engine, its attachments and their domains. */
export class RunningDecision {
  /** Attachments in scope. Their runtimes are evicted last. */
  inScope: readonly Attachment[] = [];
  /**
   * Attachments, by number, whose policies lost their runtime or module since this was last read: see Outcome.harmful.
   */
  harmful: number[] = [];
}
