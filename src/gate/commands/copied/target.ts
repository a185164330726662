import type { AttachTarget, TargetKind } from "../../../hooks/command.js";
import type { Call } from "../../call/call.js";
import type { FileIdentity } from "../../task/blocking/blocking-op.js";
import type { Copy } from "./copy.js";
import type { Field } from "./fields.js";
import type { Held } from "./held.js";

/** An attach target: how a command names it, and its facts. */
export interface Target {
  readonly kind: TargetKind;
  /**
   * The type of the target field: an fd of the task, an optional one (0 is none), a number that is passed unchanged, or
   * no field.
   */
  readonly by: "fd" | "fd or none" | "number" | "nothing";
  /** The fields of BPF_LINK_CREATE for this target, after `flags`. */
  readonly fields: readonly Field[];
  /** Offset of the number of probes in the attr of BPF_LINK_CREATE. */
  readonly probeCount?: number;
  /** Offsets of words of the attr of BPF_LINK_CREATE that {@link resolve} handles. */
  readonly handledOffsets?: readonly number[];
  /** Completes the attr of BPF_LINK_CREATE with values that {@link Field} cannot describe. */
  readonly resolve?: (call: Call, copy: Copy, object: Held) => Resolved;
  /** Facts that only targets of this kind have. */
  readonly facts?: (found: Found) => Partial<AttachTarget>;
}

/** The path and the process id that a command names. */
export interface Resolved {
  readonly path?: string;
  readonly pid?: number;
}

export const NOTHING_RESOLVED: Resolved = {};

/** What is known about an attach target when its facts are computed. */
export interface Found {
  readonly copy: Copy;
  /** Offset of the target in attr. */
  readonly targetAt: number;
  /** The program or map that is attached. */
  readonly object: Held | null;
  /** The program, map or link that is the target. */
  readonly held: Held | null;
  /** Returns the identity of the target fd's file; null if there is no fd or the identity is unknown. */
  readonly file: () => FileIdentity | null;
  readonly resolved: Resolved;
}

/** Maximum number of symbols or offsets that a policy sees. If there are more, it sees only their count. */
export const MOST_SHOWN = 1024;
