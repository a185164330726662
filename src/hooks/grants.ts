import type { Attachment } from "../policy/attachment.js";
import type { Mode } from "../policy/model/mode.js";
import type { Fault } from "../policy/model/outcome.js";

/**
 * What attachments grant or ask for beside their verdicts. Exists only if the enforced verdict is 0. A dry run applies
 * none.
 */
export interface Grants {
  readonly delegation?: Delegation;
  /** Name of the attachment because of which the program's read-only maps are frozen. */
  readonly freeze?: string;
}

/** Capabilities that the task lacks and that the gate grants it for an operation that this attachment allowed. */
export interface Delegation {
  readonly attachment: string;
  readonly capabilities: readonly string[];
  /**
   * The mode of the attachment as configured. Capabilities are granted only if the attachment and the engine are in
   * `enforce`.
   */
  readonly mode: Mode;
}

/** The parts of an attachment's answer that a grant depends on. */
interface Answered {
  readonly verdict: number;
  readonly fault: Fault | null;
}

/**
 * The delegation is by the first enforcing attachment with `delegates` that answered 0 itself (a fault that `on_fault`
 * allows is no answer). If there is none, it is by the first such attachment in audit; that delegation is recorded
 * only. Any enforcing attachment with `freezes` has the maps frozen.
 */
export function grantsOf(
  attachments: readonly Attachment[],
  answers: readonly Answered[],
  missingCapabilities: readonly string[],
): Grants | null {
  const may =
    missingCapabilities.length === 0
      ? []
      : attachments.filter(({ delegates }, index) => delegates && allows(answers[index]));
  const granting = may.find(({ mode }) => mode === "enforce") ?? may[0];
  const freezer = attachments.find(({ freezes, mode }) => freezes && mode === "enforce");
  if (granting === undefined && freezer === undefined) return null;
  return {
    ...(granting && {
      delegation: { attachment: granting.name, capabilities: missingCapabilities, mode: granting.mode },
    }),
    ...(freezer && { freeze: freezer.name }),
  };
}

function allows(answer: Answered | undefined): boolean {
  return answer !== undefined && answer.fault === null && answer.verdict === 0;
}
