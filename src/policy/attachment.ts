import type { Current } from "./current.js";
import type { MapWrite } from "./map.js";
import type { Mode } from "./mode.js";
import type { Outcome } from "./outcome.js";
import type { Scope } from "./scope.js";

export { DEFAULT_LIMITS, LIMIT_BOUNDS } from "../sandbox/limits.js";

export interface Limits {
  /** See sandbox/weights.ts. */
  readonly steps: number;
  /** Bytes of guest heap. */
  readonly memory: number;
  /** Bytes of guest stack. */
  readonly stack: number;
  /** Milliseconds. */
  readonly timeout: number;
}

/** A policy bound to hooks under a unique name, with a mode, a scope and limits. */
export interface Attachment {
  readonly name: string;
  readonly mode: Mode;
  readonly onFault: "deny" | "allow";
  /** Whether its 0 has a task do what it lacks the capabilities for. */
  readonly delegates: boolean;
  /** Whether maps that a loaded program only reads are to be frozen. */
  readonly freezes: boolean;
  readonly limits: Limits;
  readonly domain: string;
  /** SHA-256 of the linked policy, lower-case hex. */
  readonly policyDigest: string;
  /** The hooks that the policy exports. */
  readonly hooks: ReadonlySet<string>;
  readonly scope: Scope;
  /** Asks the policy. Never throws: whatever goes wrong is a fault in the outcome. */
  ask(hook: string, subject: object, current: Current): Outcome;
  /** Makes the map writes of the last answer count, and says what they were. */
  commit(): readonly MapWrite[];
  /** Forgets the map writes of the last answer. */
  drop(): void;
}
