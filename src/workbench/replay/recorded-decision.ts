import { CountersignError } from "../../error.js";
import type { CallerRecord, InputsDecisionRecord, SubjectRecord } from "../../log/input-records.js";
import type { ReadLine, RecordReader } from "../../log/record-reader.js";
import { MaskedValues, UNKNOWN_THREAD } from "./masked-values.js";

/** What a decision was made from, as a log of level `inputs` has it. */
export interface RecordedDecision {
  readonly inputs: InputsDecisionRecord;
  readonly subject: SubjectRecord;
  readonly caller: CallerRecord;
  readonly masked: MaskedValues;
}

/** Whether no policy was asked, such as for a denial by the gate itself: the record has no facts then. */
export function isUnasked({ subject }: InputsDecisionRecord): boolean {
  return !("definition" in (subject ?? {}));
}

/** Throws INPUTS_MISSING, with the input as its message, for a record that is not complete. */
export function recordedDecision({ inputs, damage }: ReadLine, reader: RecordReader): RecordedDecision {
  if (inputs === null)
    throw missing(
      "the inputs: the record has `log.level: decision`",
      "set `log: { level: inputs }`: decisions from then on have what they are made from",
    );
  if (damage === "contradiction") throw missing("the subject: the record contradicts its definition", OTHER_COPY);
  const subject = reader.definition("subject", (inputs.subject as { readonly definition: string }).definition);
  const caller = reader.definition("caller", inputs.current.definition);
  if (subject === null) throw missing("the subject, which is not in the log", NAME_ALL);
  if (caller === null) throw missing(`caller ${inputs.current.definition}, which is not in the log`, NAME_ALL);
  return { inputs, subject, caller, masked: MaskedValues.of(inputs.masked, subject.masked, caller.masked) };
}

const OTHER_COPY = "name another copy of the log";
const NAME_ALL = "name the whole log, with its rotated files, or set `log: { keep: … }` to keep more of them";

/** An error about an input that a record lacks; the message is the input, for people. */
export function missing(input: string, remedy: string): CountersignError {
  return new CountersignError("INPUTS_MISSING", input, { remedy });
}

/** What each thread of a caller has of its own. */
export function threadOf({ current }: InputsDecisionRecord): { pid: number; tid: number; comm: string } {
  const { pid = UNKNOWN_THREAD.pid, tid = pid, comm = UNKNOWN_THREAD.comm } = current;
  return { pid, tid, comm };
}
