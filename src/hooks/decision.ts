import type { Mode } from "../policy/attachment.js";
import type { Current } from "../policy/current.js";
import type { Fault } from "../policy/outcome.js";
import type { HookName, SubjectKind } from "./catalogue.js";

/** The verdict on one subject with everything that led to it; written to the decision log. */
export interface Decision {
  readonly id: string;
  /** Milliseconds since the epoch: the hook's time, which certificates are judged at. */
  readonly time: number;
  readonly hook: HookName;
  readonly subject: { readonly kind: SubjectKind; readonly name: string; readonly digest: string };
  readonly current: Current;
  readonly verdict: number;
  /** Who decided: an attachment's name, or null for the configuration's default. */
  readonly by: string | null;
  /** One line a person can act on; null when nothing was refused. */
  readonly reason: string | null;
  readonly answers: readonly Answer[];
}

/** What one attachment said. */
export interface Answer {
  readonly attachment: string;
  readonly mode: Mode;
  /** SHA-256 of the linked policy. */
  readonly policy: string;
  /** What it would have: 0 or a negative errno, a fault already turned into its verdict. */
  readonly verdict: number;
  readonly reason: string | null;
  readonly fault: Fault | null;
  readonly notes: readonly string[];
  readonly helpers: readonly string[];
  readonly fuel: number;
  /** Microseconds. */
  readonly duration: number;
}
