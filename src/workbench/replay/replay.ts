import { dispatch } from "../../engine/decision/dispatcher.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { DispatchResult } from "../../hooks/decision.js";
import type {
  CallerRecord,
  CallOfRecord,
  ConfigurationRecord,
  InputsDecisionRecord,
  SubjectRecord,
  VerificationContent,
} from "../../log/input-records.js";
import type { ReadLine, RecordReader } from "../../log/record-reader.js";
import type { Current } from "../../policy/model/current.js";
import { differenceOf } from "./difference.js";
import { RecordedSubject } from "./recorded-subject.js";
import type { ReplayedAttachment } from "./replayed-attachment.js";
import { ReplayedConfiguration } from "./replayed-configuration.js";
import type { Tracer } from "./tracer.js";

/** What making a recorded decision again has shown. */
export interface Replayed {
  /** `unasked`: no policy was asked, such as for a denial by the gate itself; there is nothing to make again. */
  readonly result: "same" | "different" | "unknown" | "unasked";
  /** The decision as it was read. */
  readonly line: ReadLine;
  /** For `different`: what differs first. For `unknown`: the input that is missing. Empty otherwise. */
  readonly because: string;
  /** The new decision; null for `unknown` and `unasked`. */
  readonly again: DispatchResult | null;
}

/** Number of recorded configurations whose sandboxes are kept, and of recorded subjects and callers. */
const MAX_CONFIGURATIONS = 8;
const MAX_SUBJECTS = 4096;

/** Faults that depend on the machine and not on the inputs. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(["OUT_OF_TIME", "SUSPENDED", "INTERNAL_FAULT"]);

/** Makes the decisions of a log again, by the configuration that is recorded with them or by another one. */
export class Replay {
  readonly #configurations = new Map<string, ReplayedConfiguration>();
  readonly #subjects = new Map<string, RecordedSubject>();
  readonly #callers = new Map<string, Omit<Current, "pid" | "tid" | "comm">>();

  constructor(
    private readonly reader: RecordReader,
    private readonly other: ReplayedConfiguration | null = null,
    private readonly tracer: Tracer | null = null,
  ) {}

  /** Does not throw: a record that cannot be used is `unknown`. */
  decide(line: ReadLine): Replayed {
    const { inputs } = line;
    if (inputs === null) return unknown(line, "the inputs: the record has `log.level: decision`");
    if (!("definition" in (inputs.subject ?? {}))) return { result: "unasked", line, because: "", again: null };
    try {
      return this.#decided(line, inputs);
    } catch (error) {
      const why = error instanceof CountersignError ? error.message : `a usable record: ${(error as Error).message}`;
      return unknown(line, why);
    }
  }

  close(): void {
    for (const configuration of this.#configurations.values()) configuration.close();
    this.other?.close();
  }

  #decided(line: ReadLine, inputs: InputsDecisionRecord): Replayed {
    const configured = this.reader.definition("configuration", inputs.configuration);
    const defined = this.reader.definition("subject", (inputs.subject as { readonly definition: string }).definition);
    const caller = this.reader.definition("caller", inputs.current.definition);
    if (configured === null) return unknown(line, `configuration ${inputs.configuration}, which is not in the log`);
    if (defined === null) return unknown(line, "the subject, which is not in the log");
    if (caller === null) return unknown(line, `caller ${inputs.current.definition}, which is not in the log`);
    const masked = [inputs.masked, defined.masked, caller.masked].filter((pointers) => pointers !== undefined);
    if (masked.length > 0) return unknown(line, `the masked ${masked.flat().join(", ")}`);
    const { answers = [] } = inputs;
    const late = answers.find(({ fault }) => fault !== undefined && OF_THE_MACHINE.has(fault.code));
    if (late !== undefined && this.other === null)
      return unknown(line, `the time that \`${late.attachment}\` took: its answer is ${late.fault!.code}`);

    const configuration = this.other ?? this.#configuration(configured);
    configuration.recordedKeyrings = configured.content.keyrings;
    const subject = this.#subject(defined);
    const given = {
      subject,
      hasAnnotations: caller.content.container === null || caller.content.container.annotations !== null,
      callsOf: (name: string) => callsOf(name, answers),
      verification: (digest: string): VerificationContent | null =>
        this.reader.definition("verification", digest)?.content ?? null,
    };
    const current = this.#current(caller, inputs.current);
    const hook = inputs.hook as HookName;
    const inScope = configuration.index.inScope(hook, current) as readonly ReplayedAttachment[];
    for (const attachment of inScope) attachment.inputs = given;
    const rules = { default: configuration.decidedBy.default[hook], mode: configuration.decidedBy.mode };
    const again = dispatch({ hook, subject: subject.facts, current }, inScope, rules);
    for (const { missing } of inScope) if (missing !== null) return unknown(line, missing);
    const because = differenceOf(inputs, again, this.other === null && this.tracer === null);
    return { result: because === null ? "same" : "different", line, because: because ?? "", again };
  }

  /** Objects that several callers have in common stay the same: the sandbox then need not read them again. */
  #current({ digest, content }: CallerRecord, { pid, tid = pid, comm }: InputsDecisionRecord["current"]): Current {
    let known = this.#callers.get(digest);
    if (known === undefined) {
      const { container } = content;
      const its = container === null ? null : { ...container, annotations: container.annotations ?? {} };
      known = { ...content, container: its };
      if (this.#callers.size >= MAX_SUBJECTS) this.#callers.clear();
      this.#callers.set(digest, known);
    }
    const { uid, euid, gid, exe, cgroup, capabilities, namespaces, container } = known;
    return { pid, tid, uid, euid, gid, comm, exe, cgroup, capabilities, namespaces, container };
  }

  #configuration({ digest, content }: ConfigurationRecord): ReplayedConfiguration {
    let known = this.#configurations.get(digest);
    if (known === undefined) {
      known = ReplayedConfiguration.recorded(content, this.tracer);
      if (this.#configurations.size >= MAX_CONFIGURATIONS) {
        for (const one of this.#configurations.values()) one.close();
        this.#configurations.clear();
      }
      this.#configurations.set(digest, known);
    }
    return known;
  }

  #subject({ digest, content }: SubjectRecord): RecordedSubject {
    let known = this.#subjects.get(digest);
    if (known === undefined) {
      known = new RecordedSubject(content);
      if (this.#subjects.size >= MAX_SUBJECTS) this.#subjects.clear();
      this.#subjects.set(digest, known);
    }
    return known;
  }
}

/** The calls that an attachment is answered by: its own, or if it has none in the record, those of all others. */
function callsOf(name: string, answers: NonNullable<InputsDecisionRecord["answers"]>): readonly CallOfRecord[] {
  const its = answers.find(({ attachment }) => attachment === name);
  if (its !== undefined) return its.calls ?? NO_CALLS;
  return withoutWrites(answers.flatMap(({ calls = NO_CALLS }) => calls));
}

const NO_CALLS: readonly CallOfRecord[] = Object.freeze([]);

/** The calls of other attachments that an attachment without a record of its own can be answered by. */
function withoutWrites(calls: readonly CallOfRecord[]): readonly CallOfRecord[] {
  const isWritten = new Set(
    calls.flatMap((call) => (call.call === "map_update" || call.call === "map_delete" ? [call.map] : [])),
  );
  return calls.filter((call) => !("map" in call) || !isWritten.has(call.map));
}

function unknown(line: ReadLine, because: string): Replayed {
  return { result: "unknown", line, because, again: null };
}
