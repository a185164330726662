import type { Config } from "../../config/config.js";
import { decideFile } from "../../engine/file-decisions.js";
import { TimedEngine } from "../../engine/timed-engine.js";
import { verdictName } from "../../errno.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Decision } from "../../hooks/decision.js";
import type { Current } from "../../policy/model/current.js";
import type { EngineDecision } from "../witness/engine-decision.js";
import { type ShownDecision, shownDecision } from "../witness/shown-decision.js";

/** What `check` decides about a witness by one configuration, and what the engine decided about the example. */
export interface CheckedWitness {
  readonly command: string;
  readonly found: ShownDecision;
  readonly expected: ShownDecision;
  /** Whether verdict, denying attachment and fault are the same, and the reason if a policy gives it. */
  readonly isSame: boolean;
}

/** Decides about a file as `countersign check` does. Throws what opening an engine and reading the file throw. */
export async function checkWitness(
  config: Config,
  { file, hook, index, current }: { file: string; hook: HookName; index: number; current: Current },
  expected: EngineDecision,
): Promise<Omit<CheckedWitness, "command">> {
  const engine = await TimedEngine.open(config);
  try {
    const decided = await decideFile(engine, file, { hook, current, wholeLoad: true });
    const { decision } = decided[index]!;
    const [found, its] = [shownOf(decision), shownDecision(expected)];
    return { found, expected: its, isSame: isSame(found, its) && hasReason(found, givenReason(expected)) };
  } finally {
    engine.close();
  }
}

function shownOf({ enforced_verdict, denied_by: denied, answers }: Decision): ShownDecision {
  const answer = answers.find(({ attachment }) => attachment === denied?.attachment);
  return {
    enforced_verdict: verdictName(enforced_verdict),
    attachment: denied?.attachment ?? null,
    reason: denied?.reason ?? null,
    fault: answer?.fault?.code ?? null,
  };
}

/** The reason that the denying policy gives; null if the engine says why, which names what was verified. */
function givenReason({ result: { denied_by: denied }, outcomes }: EngineDecision): string | null {
  return denied?.attachment == null ? null : (outcomes.get(denied.attachment)?.reason ?? null);
}

function isSame(found: ShownDecision, expected: ShownDecision): boolean {
  return (["enforced_verdict", "attachment", "fault"] as const).every((key) => found[key] === expected[key]);
}

/** Whether a denial has the reason of the policy, to which the engine adds evidence and what helpers answered. */
function hasReason(found: ShownDecision, reason: string | null): boolean {
  return reason === null || `${found.reason} (`.startsWith(`${found.attachment}: ${reason} (`);
}
