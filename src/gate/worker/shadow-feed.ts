import type { DecisionRequest } from "../../engine/decision/request.js";
import { isUnlogged } from "../../engine/shadow-change.js";
import type { Decision } from "../../hooks/decision.js";
import { bytesOf } from "../call/issued-objects.js";
import type { ShadowBacklog } from "../decisions/shadow-backlog.js";
import type { Count } from "../decisions/tally.js";
import type { ShadowQuestion } from "../messages/shadow-messages.js";
import { copyOf } from "../task/caller.js";

/**
 * Collects the decisions of a call in the decision thread, and sends them to the shadow after the reply to the task.
 * Only the facts of the task are read before it, because the task can change them afterwards.
 */
export class ShadowFeed {
  #questions: ShadowQuestion[] = [];

  constructor(
    private readonly backlog: ShadowBacklog,
    private readonly tally: { add(count: Count): void },
    private readonly post: (question: ShadowQuestion) => void,
  ) {}

  add(request: DecisionRequest, decision: Decision): void {
    if (isUnlogged(decision)) return;
    const bytes = sizeOf(request.subject);
    if (!this.backlog.add(bytes)) {
      this.tally.add("shadowMissed");
      return;
    }
    const { id, time, judged_time, enforced_verdict, denied_by, audit_denials, grants } = decision;
    const decided = { id, time, judged_time, enforced_verdict, denied_by, audit_denials, ...(grants && { grants }) };
    this.#questions.push({ request: { ...request, current: copyOf(request.current) }, decided, bytes });
  }

  /** Sends what was decided. Called after the reply. */
  send(): void {
    if (this.#questions.length === 0) return;
    for (const question of this.#questions) this.post(question);
    this.#questions = [];
  }
}

/** Bytes of a subject that is not a program, whose names and fields are small. */
const SMALL = 1024;

function sizeOf(subject: object): number {
  if ("insns" in subject) return bytesOf(subject as Parameters<typeof bytesOf>[0]);
  return "data" in subject && subject.data instanceof Uint8Array ? SMALL + subject.data.byteLength : SMALL;
}
