import type { MapWrite } from "./maps/map.js";
import type { Current } from "./model/current.js";
import type { Mode } from "./model/mode.js";
import type { Outcome } from "./model/outcome.js";
import type { Scope } from "./scope/scope.js";

export interface Limits {
  /** Maximum number of steps of one decision; see sandbox/subjects/weights.ts. */
  readonly steps: number;
  /** Maximum size of the guest's heap in bytes. */
  readonly memory: number;
  /** Maximum size of the guest's stack in bytes. */
  readonly stack: number;
  /** Maximum time of one decision in milliseconds. */
  readonly timeout: number;
}

/** A policy bound to hooks under a unique name, with a mode, a scope and limits. */
export interface Attachment {
  readonly name: string;
  readonly mode: Mode;
  readonly onFault: "deny" | "allow";
  /** Whether the gate grants a task missing capabilities for operations that this attachment allows. */
  readonly delegates: boolean;
  /** Whether the maps that a loaded program only reads are frozen. */
  readonly freezes: boolean;
  readonly limits: Limits;
  readonly domain: string;
  /** SHA-256 of the linked policy, lower-case hex. */
  readonly policyDigest: string;
  /** The hooks that the policy exports. */
  readonly hooks: ReadonlySet<string>;
  readonly scope: Scope;
  /** Asks the policy. Never throws: every error becomes a fault in the outcome. */
  ask(hook: string, subject: object, current: Current): Outcome;
  /** Commits the map writes of the last answer, and returns them. */
  commit(): readonly MapWrite[];
  /** Discards the map writes of the last answer. */
  drop(): void;
}
