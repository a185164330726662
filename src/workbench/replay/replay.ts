import { dispatch } from "../../engine/decision/dispatcher.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { DispatchResult } from "../../hooks/decision.js";
import type {
  CallOfRecord,
  ConfigurationRecord,
  InputsDecisionRecord,
  SubjectRecord,
  VerificationContent,
} from "../../log/input-records.js";
import type { ReadRecord } from "../../log/read-record.js";
import type { ReadLine, RecordReader } from "../../log/record-reader.js";
import type { Current } from "../../policy/model/current.js";
import { differenceOf } from "./difference.js";
import { RecordedSubject } from "./recorded-subject.js";
import { ReplayedConfiguration } from "./replayed-configuration.js";

/** What making a recorded decision again has shown. */
export interface Replayed {
  /** `unasked`: no policy was asked, such as for a denial by the gate itself; there is nothing to make again. */
  readonly result: "same" | "different" | "unknown" | "unasked";
  readonly record: ReadRecord;
  /** For `different`: what differs first. For `unknown`: the input that is missing. Empty otherwise. */
  readonly because: string;
  /** The new decision; null for `unknown` and `unasked`. */
  readonly again: DispatchResult | null;
}

/** Number of recorded configurations whose sandboxes are kept, and of recorded subjects. */
const MAX_CONFIGURATIONS = 8;
const MAX_SUBJECTS = 4096;

/** Faults that depend on the machine and not on the inputs. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(["OUT_OF_TIME", "SUSPENDED", "INTERNAL_FAULT"]);

/** Makes the decisions of a log again, by the configuration that is recorded with them or by another one. */
export class Replay {
  readonly #configurations = new Map<string, ReplayedConfiguration>();
  readonly #subjects = new Map<string, RecordedSubject>();

  constructor(
    private readonly reader: RecordReader,
    private readonly other: ReplayedConfiguration | null = null,
  ) {}

  /** Does not throw: a record that cannot be used is `unknown`. */
  decide({ record, inputs }: ReadLine & { readonly record: ReadRecord }): Replayed {
    if (inputs === null) return unknown(record, "the inputs: the record has `log.level: decision`");
    if (!("definition" in (inputs.subject ?? {}))) return { result: "unasked", record, because: "", again: null };
    try {
      return this.#decided(record, inputs);
    } catch (error) {
      const why = error instanceof CountersignError ? error.message : `a usable record: ${(error as Error).message}`;
      return unknown(record, why);
    }
  }

  close(): void {
    for (const configuration of this.#configurations.values()) configuration.close();
    this.other?.close();
  }

  #decided(record: ReadRecord, inputs: InputsDecisionRecord): Replayed {
    const configured = this.reader.definition("configuration", inputs.configuration);
    const defined = this.reader.definition("subject", (inputs.subject as { readonly definition: string }).definition);
    const caller = this.reader.definition("caller", inputs.current.definition);
    if (configured === null) return unknown(record, `configuration ${inputs.configuration}, which is not in the log`);
    if (defined === null) return unknown(record, "the subject, which is not in the log");
    if (caller === null) return unknown(record, `caller ${inputs.current.definition}, which is not in the log`);
    const masked = [inputs.masked, defined.masked, caller.masked].flatMap((pointers) => pointers ?? []);
    if (masked.length > 0) return unknown(record, `the masked ${masked.join(", ")}`);
    const { answers = [] } = inputs;
    const late = answers.find(({ fault }) => fault !== undefined && OF_THE_MACHINE.has(fault.code));
    if (late !== undefined && this.other === null)
      return unknown(record, `the time that \`${late.attachment}\` took: its answer is ${late.fault!.code}`);

    const configuration = this.other ?? this.#configuration(configured);
    configuration.recordedKeyrings = configured.content.keyrings;
    const subject = this.#subject(defined);
    const calls = new Map(answers.map(({ attachment, calls: its = [] }) => [attachment, its]));
    const own = answers.flatMap(({ calls: its = [] }) => its);
    const given = {
      subject,
      hasAnnotations: caller.content.container === null || caller.content.container.annotations !== null,
      callsOf: (name: string) => calls.get(name) ?? withoutWrites(own),
      verification: (digest: string): VerificationContent | null =>
        this.reader.definition("verification", digest)?.content ?? null,
    };
    const { pid, tid = pid, comm } = inputs.current;
    const container = caller.content.container;
    const current: Current = {
      ...{ ...caller.content, pid, tid, comm },
      container: container === null ? null : { ...container, annotations: container.annotations ?? {} },
    };
    const hook = inputs.hook as HookName;
    const inScope = configuration.index.inScope(hook, current);
    for (const attachment of configuration.attachments) attachment.inputs = given;
    const rules = { default: configuration.decidedBy.default[hook], mode: configuration.decidedBy.mode };
    const again = dispatch({ hook, subject: subject.facts, current }, inScope, rules);
    for (const attachment of configuration.attachments)
      if (inScope.includes(attachment) && attachment.missing !== null) return unknown(record, attachment.missing);
    const because = differenceOf(record, again, this.other === null);
    return { result: because === null ? "same" : "different", record, because: because ?? "", again };
  }

  #configuration({ digest, content }: ConfigurationRecord): ReplayedConfiguration {
    let known = this.#configurations.get(digest);
    if (known === undefined) {
      known = ReplayedConfiguration.recorded(content);
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

/** The calls of other attachments that an attachment without a record of its own can be answered by. */
function withoutWrites(calls: readonly CallOfRecord[]): readonly CallOfRecord[] {
  const isWritten = new Set(
    calls.flatMap((call) => (call.call === "map_update" || call.call === "map_delete" ? [call.map] : [])),
  );
  return calls.filter((call) => !("map" in call) || !isWritten.has(call.map));
}

function unknown(record: ReadRecord, because: string): Replayed {
  return { result: "unknown", record, because, again: null };
}
