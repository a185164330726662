import type { Attachment } from "../policy/attachment.js";

/** What an engine is deciding, shared with its attachments and their domains. */
export class RunningDecision {
  /** Attachments in scope: other runtimes are evicted before theirs. */
  inScope: readonly Attachment[] = [];
  /** Attachments, by number, whose policies did harm since this was last read: see Outcome.harmful. */
  harmful: number[] = [];
}
