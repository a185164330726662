import { hostname, release } from "node:os";
import type { Answer, Decision, Denial, Origin } from "../hooks/decision.js";
import { VERSION } from "../version.js";
import { CallerDefinitions } from "./caller-definition.js";
import { callsText } from "./calls.js";
import { bounded, subjectOfRecord } from "./decision-record.js";
import { type Defined, definitionLine, digestOfContent, head } from "./definition.js";
import type { ConfigurationContent, DecidedBy, PolicyOfRecord } from "./input-records.js";
import { levelOf } from "./level.js";
import type { Mask } from "./mask.js";
import { timestamp } from "./record.js";
import { type SubjectDefinition, SubjectDefinitions } from "./subject-definition.js";
import { UuidV7 } from "./uuid-v7.js";

/** The largest content of a configuration with texts of policies, in bytes: readers take lines of `MAX_LINE`. */
export const MAX_CONFIGURATION = 15 * 2 ** 20;

/** Fields of the caller that are in each decision. */
const OF_LINE = ["pid", "tid", "comm"];

/**
 * Makes the lines of a log with `level: inputs`: a decision, and before it the definitions that it needs and that this
 * writer has not yet written to the file. What other processes have written does not count.
 */
export class InputsWriter {
  readonly #writer = new UuidV7().next(Date.now());
  /** Pointers to masked fields that are in no definition. */
  readonly #maskedOfLine: readonly string[];
  readonly #subjects: SubjectDefinitions;
  readonly #callers: CallerDefinitions;
  #configuration: Defined | null = null;
  /** Digests that are in the file with this number; `start` for the record of the writer. */
  #written = new Set<string>();
  #file = -1;
  /** The time of the last decision, and its text. */
  #milliseconds = Number.NaN;
  #time = "";

  /**
   * `decidedBy` is called for the first decision, and for the first one after {@link reconfigure}. `rotate` is the size
   * in bytes at which a new file begins.
   */
  constructor(
    private readonly origin: Origin,
    private readonly decidedBy: () => DecidedBy,
    private readonly mask: Mask,
    private readonly rotate: number,
  ) {
    this.#maskedOfLine = OF_LINE.filter((field) => mask.touches("current", field)).map((field) => `/current/${field}`);
    this.#subjects = new SubjectDefinitions(mask);
    this.#callers = new CallerDefinitions(mask);
  }

  /** The configuration has changed, such as a keyring. */
  reconfigure(): void {
    this.#configuration = null;
  }

  /**
   * The lines of a decision, by the number of the file that they are written to. If writing fails, the file must get
   * another number. `subject` is null if no policy was asked.
   */
  lines(decision: Decision, subject: object | null): (file: number) => string {
    const { current } = decision;
    const configuration = this.#configured();
    const caller = this.#callers.of(current, readsAnnotations(decision.answers));
    const its = subject === null ? null : this.#subjects.of(decision.subject.kind, subject);
    const needed = its === null ? [configuration, caller] : [configuration, caller, its];
    const time = this.#timeOf(decision);
    const line = this.#decisionLine(decision, time, its, needed, caller.digest, configuration.digest);
    return (file) => this.#definitionLines(file, needed, time) + line;
  }

  /** Making the text takes a tenth of writing a decision, and several decisions have the same millisecond. */
  #timeOf({ time }: Decision): string {
    if (time !== this.#milliseconds) {
      this.#milliseconds = time;
      this.#time = timestamp(time);
    }
    return this.#time;
  }

  #configured(): Defined {
    if (this.#configuration === null) {
      const content: ConfigurationContent = { writer: this.#writer, ...this.decidedBy() };
      const text = this.#configurationText(content);
      this.#configuration = {
        type: "configuration",
        digest: digestOfContent(text),
        content: () => text,
        masked: [],
      };
    }
    return this.#configuration;
  }

  /**
   * A configuration that is too large has no texts of the policies' files, and if that is not enough no linked texts
   * either, so that readers and the file have room for it.
   */
  #configurationText(content: ConfigurationContent): string {
    const without = (texts: Partial<PolicyOfRecord>) => {
      const policies = Object.entries(content.policies).map(([digest, one]) => [digest, { ...one, ...texts }]);
      return JSON.stringify({ ...content, policies: Object.fromEntries(policies) });
    };
    const fits = (text: string) => Buffer.byteLength(text) <= Math.min(MAX_CONFIGURATION, this.rotate / 2);
    const text = JSON.stringify(content);
    if (fits(text)) return text;
    const linked = without({ files: null });
    return fits(linked) ? linked : without({ files: null, source: null });
  }

  #definitionLines(file: number, needed: readonly Defined[], time: string): string {
    if (file !== this.#file) {
      this.#written = new Set();
      this.#file = file;
    }
    let lines = "";
    for (const defined of needed) {
      if (this.#written.has(defined.digest)) continue;
      if (this.#written.size === 0) lines += this.#startLine(time);
      this.#written.add(defined.digest);
      lines += definitionLine(defined, time, this.origin);
    }
    return lines;
  }

  #startLine(time: string): string {
    const rest = JSON.stringify({ writer: this.#writer, engine: VERSION, host: hostname(), kernel: release() });
    return `${head("info", "start", time, this.origin)},${rest.slice(1)}\n`;
  }

  /** Written by hand: JSON.stringify would take twice as long for the fields that each decision has. */
  #decisionLine(
    decision: Decision,
    time: string,
    subject: SubjectDefinition | null,
    needed: Defined[],
    caller: string,
    configuration: string,
  ): string {
    const { id, hook, verdict, enforced_verdict, denied_by, audit_denials, operation, judged_time } = decision;
    let line = `${head(levelOf(decision), "decision", time, this.origin)},"id":"${id}","hook":"${hook}"`;
    line += `,"verdict":${verdict}`;
    if (enforced_verdict !== verdict) line += `,"enforced_verdict":${enforced_verdict}`;
    if (denied_by !== null) line += `,"denied_by":${JSON.stringify(denied_by)}`;
    if (audit_denials.length > 0) line += `,"audit_denials":${JSON.stringify(audit_denials)}`;
    if (operation !== null) line += `,"operation":${JSON.stringify(operation)}`;
    if (judged_time !== decision.time || this.origin === "check") line += `,"judged_time":"${timestamp(judged_time)}"`;
    if (decision.loader_probe !== undefined) line += `,"loader_probe":${JSON.stringify(decision.loader_probe)}`;
    if (decision.grants !== undefined) line += `,"grants":${JSON.stringify(decision.grants)}`;
    line += `,"subject":${this.#subjectText(decision, subject)},"current":${this.#callerText(decision, caller)}`;
    line += `,"configuration":"${configuration}"`;
    const { answers } = decision;
    if (answers.length > 0) {
      let texts = "";
      for (const answer of answers)
        texts += `${texts === "" ? "" : ","}${answerText(answer, denied_by, audit_denials, subject, needed)}`;
      line += `,"answers":[${texts}]`;
    }
    const masked = this.#maskedOfLine;
    if (masked.length > 0) line += `,"masked":${JSON.stringify(masked)}`;
    return `${line},"duration_us":${Math.round(decision.duration_us * 1000) / 1000}}\n`;
  }

  #subjectText(decision: Decision, subject: SubjectDefinition | null): string {
    if (subject === null) {
      const shown = subjectOfRecord(decision.subject);
      this.mask.apply("subject", shown);
      return JSON.stringify(shown);
    }
    const { name } = decision.subject;
    const named = this.mask.touches("subject", "name") ? "" : `"name":${JSON.stringify(bounded(name))},`;
    return `{${named}"definition":"${subject.digest}"}`;
  }

  #callerText({ current: { pid, tid, comm } }: Decision, caller: string): string {
    const { mask } = this;
    let text = mask.touches("current", "pid") ? "" : `"pid":${pid},`;
    if (tid !== pid && !mask.touches("current", "tid")) text += `"tid":${tid},`;
    if (!mask.touches("current", "comm")) text += `"comm":${JSON.stringify(bounded(comm))},`;
    return `{${text}"definition":"${caller}"}`;
  }
}

function readsAnnotations(answers: readonly Answer[]): boolean {
  for (const { reads_annotations } of answers) if (reads_annotations) return true;
  return false;
}

/** The code and the reason are left out if a denial of the record has them. */
function answerText(
  answer: Answer,
  deniedBy: Denial | null,
  auditDenials: readonly Denial[],
  subject: SubjectDefinition | null,
  needed: Defined[],
): string {
  const { verdict, denial, fault, unused_reasons, notes, writes, calls = [] } = answer;
  let text = `{"attachment":${JSON.stringify(answer.attachment)},"verdict":${verdict}`;
  if (denial !== null && denial !== deniedBy && !auditDenials.includes(denial))
    text += `,"code":"${denial.code}","reason":${JSON.stringify(denial.reason)}`;
  if (fault !== null) text += `,"fault":${JSON.stringify(fault)}`;
  if (unused_reasons.length > 0) text += `,"unused_reasons":${JSON.stringify(unused_reasons)}`;
  if (notes.length > 0) text += `,"notes":${JSON.stringify(notes)}`;
  if (calls.length > 0 && subject !== null) text += `,"calls":[${callsText(calls, subject, needed)}]`;
  if (writes.length > 0) text += `,"writes":${JSON.stringify(writes)}`;
  return `${text},"steps":${answer.steps}}`;
}
