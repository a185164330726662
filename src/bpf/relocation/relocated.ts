import type { AttachTarget } from "../core/attach-target.js";
import type { RelocatedProgram } from "../core/unrelocated.js";

/** A program of an object as a loader passes it to one kernel. */
export interface Relocated extends RelocatedProgram {
  /** Null for a program that has no target when it is loaded. */
  readonly attachTarget: AttachTarget | null;
}
