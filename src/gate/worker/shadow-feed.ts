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
    /** Shows the supervisor how many are not sent, so that it can count them if it terminates the thread. */
    private readonly shown: { unsent: number },
    private readonly post: (question: ShadowQuestion) => void,
  ) {}

  add(request: DecisionRequest, decision: Decision): void {
    if (isUnlogged(decision)) return;
    if (this.backlog.isFull) {
      this.tally.add("shadowMissed");
      return;
    }
    const { id, time, judged_time, enforced_verdict, denied_by, audit_denials, grants } = decision;
    const decided = { id, time, judged_time, enforced_verdict, denied_by, audit_denials, ...(grants && { grants }) };
    const question = { request: { ...request, current: copyOf(request.current) }, decided };
    this.#questions.push({ ...question, bytes: sizeOf(question) });
    this.shown.unsent = this.#questions.length;
  }

  /** Sends what was decided. Called after the reply, or when another thread continues the call. */
  send(): void {
    if (this.#questions.length === 0) return;
    for (const question of this.#questions) {
      if (this.backlog.add(question.bytes)) this.post(question);
      else this.tally.add("shadowMissed");
      this.shown.unsent -= 1;
    }
    this.#questions = [];
  }
}

/** Bytes of a question without the strings and bytes in it. */
const SMALL = 1024;

function sizeOf({ request: { subject, current }, decided }: Omit<ShadowQuestion, "bytes">): number {
  const about = "insns" in subject ? bytesOf(subject as Parameters<typeof bytesOf>[0]) : SMALL + contentSize(subject);
  return about + contentSize(current) + contentSize(decided);
}

/** Bytes of the strings of a value, such as labels and annotations, of the names of its fields, and of its bytes. */
function contentSize(value: unknown): number {
  if (typeof value === "string") return stringSize(value);
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value !== "object" || value === null) return 0;
  let bytes = 0;
  for (const [name, field] of Object.entries(value)) bytes += stringSize(name) + contentSize(field);
  return bytes;
}

/** Most bytes that a message has for a string, with its type and length. */
function stringSize({ length }: string): number {
  return 8 + 2 * length;
}
