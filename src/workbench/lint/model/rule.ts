import type { Node } from "acorn";
import type { Severity, TextEdit } from "./finding.js";
import type { PolicyFile } from "./policy-file.js";

/** A mistake at a node of a file. */
export interface Complaint {
  readonly node: Pick<Node, "start">;
  readonly message: string;
  readonly remedy: string;
  /** A change after which the policy allows nothing that it denied before. */
  readonly fix?: readonly TextEdit[];
}

/** What documents and SARIF say about a code of lint. */
export interface RuleText {
  /** Stable: a code is never renamed, and never used for something else. */
  readonly code: string;
  readonly severity: Severity;
  /** What is found, as a sentence without a subject and a full stop: `code that can never run`. */
  readonly summary: string;
  /** What happens if it stays, as a sentence. */
  readonly consequence: string;
  readonly fixes?: true;
}

/** A check of one file of a policy. It reports only what follows from the text for certain. */
export interface Rule extends RuleText {
  check(file: PolicyFile): Iterable<Complaint>;
}
