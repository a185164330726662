import { dispatch } from "../../engine/decision/dispatcher.js";
import { CountersignError } from "../../error.js";
import { HOOKS, type HookName } from "../../hooks/catalogue.js";
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
import { LIMIT_FAULTS } from "../../policy/model/outcome.js";
import { differenceOf } from "./difference.js";
import { MaskedValues } from "./masked-values.js";
import { isUnasked, recordedDecision, threadOf } from "./recorded-decision.js";
import type { Contents, RecordedInputs } from "./recorded-inputs.js";
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
    /** Null to use nothing but the log. */
    private readonly contents: Contents | null = null,
  ) {}

  /** Does not throw: a record that cannot be used is `unknown`. */
  decide(line: ReadLine): Replayed {
    const { inputs, damage } = line;
    if (inputs !== null && damage !== "contradiction" && isUnasked(inputs))
      return { result: "unasked", line, because: "", again: null };
    try {
      return this.#decided(line);
    } catch (error) {
      const why = error instanceof CountersignError ? error.message : `a usable record: ${(error as Error).message}`;
      return unknown(line, why);
    }
  }

  close(): void {
    for (const configuration of this.#configurations.values()) configuration.close();
    this.other?.close();
  }

  #decided(line: ReadLine): Replayed {
    const { inputs, subject: defined, caller, masked } = recordedDecision(line, this.reader);
    const configured = this.reader.definition("configuration", inputs.configuration);
    if (configured === null) return unknown(line, `configuration ${inputs.configuration}, which is not in the log`);
    const { answers = [] } = inputs;
    const late = answers.find(({ fault }) => fault !== undefined && OF_THE_MACHINE.has(fault.code));
    if (late !== undefined && this.other === null)
      return unknown(line, `the time that \`${late.attachment}\` took: its answer is ${late.fault!.code}`);

    const configuration = this.other ?? this.#configuration(configured);
    configuration.recordedKeyrings = configured.content.keyrings;
    if (HOOKS[inputs.hook as HookName]?.subject !== defined.content.kind)
      return unknown(line, `the subject: that of hook ${inputs.hook} is no ${defined.content.kind}`);
    const subject = this.#subject(defined);
    const given: RecordedInputs = {
      subject,
      masked,
      hasAnnotations: caller.content.container === null || caller.content.container.annotations !== null,
      contents: this.contents,
      time: inputs.judged_time ?? inputs.time,
      callsOf: (name: string) => callsOf(name, answers),
      verification: (digest: string): VerificationContent | null =>
        this.reader.definition("verification", digest)?.content ?? null,
    };
    const current = this.#current(caller, inputs);
    const hook = inputs.hook as HookName;
    const needed = masked.isEmpty ? null : neededBy(configuration, hook, current, given);
    if (needed !== null) return unknown(line, needed);
    const { again, missing } = made(configuration, hook, current, given);
    if (missing !== null) return unknown(line, missing);
    const because = differenceOf(inputs, again, this.other === null && this.tracer === null);
    return { result: because === null ? "same" : "different", line, because: because ?? "", again };
  }

  /** Objects that several callers have in common stay the same: the sandbox then need not read them again. */
  #current({ digest, content: found, masked = [] }: CallerRecord, inputs: InputsDecisionRecord): Current {
    const { pid, tid, comm } = threadOf(inputs);
    let known = this.#callers.get(digest);
    if (known === undefined) {
      const content = MaskedValues.of(masked).restored("current", found);
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

  #subject({ digest, content, masked = [] }: SubjectRecord): RecordedSubject {
    let known = this.#subjects.get(digest);
    if (known === undefined) {
      const facts = MaskedValues.of(masked).restored("subject", content.facts);
      known = new RecordedSubject({ ...content, facts });
      if (this.#subjects.size >= MAX_SUBJECTS) this.#subjects.clear();
      this.#subjects.set(digest, known);
    }
    return known;
  }
}

/** Makes a decision. `missing` is the first input that a policy asked for and that is not known; null for none. */
function made(
  configuration: ReplayedConfiguration,
  hook: HookName,
  current: Current,
  given: RecordedInputs,
): { readonly again: DispatchResult; readonly missing: string | null } {
  const inScope = configuration.index.inScope(hook, current) as readonly ReplayedAttachment[];
  for (const attachment of inScope) attachment.inputs = given;
  const { default: defaults, mode } = configuration.decidedBy;
  const rules = { default: defaults[hook], mode };
  const again = dispatch({ hook, subject: given.subject.facts, current }, inScope, rules);
  for (const { missing } of inScope) if (missing !== null) return { again, missing };
  return { again, missing: null };
}

/**
 * The masked value that a scope or a policy needs for a decision, for people; null if none does. A policy that reads
 * its first masked value has behaved as it did until then, so that it is found.
 */
function neededBy(
  configuration: ReplayedConfiguration,
  hook: HookName,
  current: Current,
  given: RecordedInputs,
): string | null {
  for (const { hooks, scope } of configuration.attachments) {
    const pointer = hooks.has(hook) ? given.masked.usedByScope(scope.rules) : null;
    if (pointer !== null) return `the masked ${pointer}`;
  }
  const { again, missing } = made(configuration.watching, hook, current, given);
  // It may reach a limit sooner while its reads are recorded
  const isCut = again.answers.some(({ fault }) => fault !== null && LIMIT_FAULTS.has(fault.code));
  return missing === null && isCut ? `whether a policy reads the masked ${given.masked.all}` : missing;
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
