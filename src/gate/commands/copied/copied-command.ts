import type { AttachTarget, CommandSubject } from "../../../hooks/command.js";
import type { Attr } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import type { Copy } from "./copy.js";
import type { Field, Layout } from "./fields.js";
import type { Held } from "./held.js";
import { NOTHING_RESOLVED, type Resolved, type Target } from "./target.js";

/** A command whose attr is decided on a copy: a row of the table in `copied-commands.ts`. */
export interface CopiedCommand {
  readonly layout: Layout;
  /**
   * Whether the kernel may take many milliseconds with this attr. Another thread then makes the call, so that no other
   * call waits for it.
   */
  readonly isLong: (attr: Attr) => boolean;
  /** Absent if the command needs only the fields of its layout. */
  readonly plan?: MakePlan;
  /** The facts other than the object and the path; absent if there are none. */
  readonly facts?: CommandFacts;
}

/** Plans one call. Fails with the errno with which the kernel would reject the call. */
export type MakePlan = (call: Call, given: Attr) => Plan;

/** `object` is the program, map or link that the command uses. */
export type CommandFacts = (copy: Copy, target: AttachTarget | null, object: Held | null) => Partial<CommandSubject>;

/** The fields of one call in addition to those of its command, and the values to resolve before the decision. */
export interface Plan {
  readonly fields: readonly Field[];
  /** Offsets of words that {@link resolve} handles. */
  readonly handledOffsets: readonly number[];
  readonly target: Target | null;
  /** Offset in attr of the target, if it has a field. */
  readonly targetAt: number;
  /** Whether the kernel executes the call in the task, and so reads the task's memory again after the decision. */
  readonly left?: boolean;
  /** Completes the copy's attr with values that {@link Field} cannot describe. */
  readonly resolve: (copy: Copy) => Resolved;
}

export const PLAIN: Plan = {
  fields: [],
  handledOffsets: [],
  target: null,
  targetAt: 0,
  resolve: () => NOTHING_RESOLVED,
};
