import type { Attachment } from "../policy/attachment.js";
import type { Mode } from "../policy/mode.js";
import type { Fault } from "../policy/outcome.js";

/** What attachments grant or ask for beside their verdicts, if the enforced verdict is 0. A dry run carries none of it out. */
export interface Grants {
  readonly delegation?: Delegation;
  /** The attachment that has the program's read-only maps frozen. */
  readonly freeze?: string;
}

/** Capabilities that a task lacks and that an attachment lends it for what it let through. */
export interface Delegation {
  readonly by: string;
  readonly capabilities: readonly string[];
  /** The attachment's, as it is configured. Capabilities are lent only where it and the engine are in mode `enforce`. */
  readonly mode: Mode;
}

/** What an attachment answered, as far as a grant depends on it. */
interface Answered {
  readonly verdict: number;
  readonly fault: Fault | null;
}

/**
 * Lends capabilities in the name of the first attachment that may and that answered 0 itself: it was asked, and a fault that is let
 * through is no answer. One in audit lends nothing. Whether maps are frozen is asked for by any that enforces.
 */
export function grantsOf(
  attachments: readonly Attachment[],
  answers: readonly Answered[],
  lacking: readonly string[],
): Grants | null {
  const may =
    lacking.length === 0 ? [] : attachments.filter(({ delegates }, index) => delegates && allows(answers[index]));
  const lender = may.find(({ mode }) => mode === "enforce") ?? may[0];
  const freezer = attachments.find(({ freezes, mode }) => freezes && mode === "enforce");
  if (lender === undefined && freezer === undefined) return null;
  return {
    ...(lender && {
      delegation: { by: lender.name, capabilities: lacking, mode: lender.mode },
    }),
    ...(freezer && { freeze: freezer.name }),
  };
}

function allows(answer: Answered | undefined): boolean {
  return answer !== undefined && answer.fault === null && answer.verdict === 0;
}
