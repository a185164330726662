import type { AttachmentOfRecord, PolicyOfRecord } from "../../log/input-records.js";
import type { Limits } from "../../policy/attachment.js";
import type { Domain } from "../../policy/domain.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import type { RecordedAnswers } from "./recorded-answers.js";
import type { RecordedSubject } from "./recorded-subject.js";

/** Observes how policies make a recorded decision again. */
export interface Tracer {
  /** The policy that is asked in the place of a recorded one, such as one that tells where it is. */
  traced(policy: LinkedPolicy, recorded: PolicyOfRecord): LinkedPolicy;
  /** The limits of an attachment: observing takes steps too. */
  limits(attachment: AttachmentOfRecord): Limits;
  /** The functions that answer an attachment in the place of the recorded answers. */
  functions(
    attachment: string,
    policy: LinkedPolicy,
    answers: RecordedAnswers,
    subject: RecordedSubject,
  ): Parameters<Domain["ask"]>[5];
}
