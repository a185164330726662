import { HOOKS, type HookName, type SubjectKind } from "../../hooks/catalogue.js";
import type { Denial } from "../../hooks/decision.js";
import type {
  AttachmentOfRecord,
  CallerContent,
  ConfigurationContent,
  InputsDecisionRecord,
  StartRecord,
  SubjectContent,
  VerificationContent,
} from "../../log/input-records.js";
import { outcomeOf } from "../../log/outcome.js";
import type { ReadRecord } from "../../log/read-record.js";
import type { ReadLine, RecordReader } from "../../log/record-reader.js";
import { withTimeLimit } from "../../time-limit.js";
import { VERSION } from "../../version.js";
import type { Contents } from "../replay/recorded-inputs.js";
import { Replay, type Replayed } from "../replay/replay.js";
import { evidenceFor } from "./evidence-read.js";
import type {
  Executed,
  ExplainedAnswer,
  ExplainedAttachment,
  ExplainedCaller,
  Explanation,
  TraceEvent,
} from "./explanation.js";
import { ExplanationTracer } from "./explanation-tracer.js";
import { withKeptCode } from "./object-code.js";
import { recordedCalls } from "./recorded-calls.js";
import { scopeConditions } from "./scope-conditions.js";

/** What the log has for one decision. A part is null that it does not have. */
interface Recorded {
  readonly record: ReadRecord;
  readonly inputs: InputsDecisionRecord | null;
  readonly configuration: ConfigurationContent | null;
  readonly subject: SubjectContent | null;
  readonly caller: CallerContent | null;
  readonly writer: StartRecord | null;
  /** Pointers to values that are masked. */
  readonly masked: readonly string[];
  readonly verification: (digest: string) => VerificationContent | null;
}

/**
 * Explains a recorded decision. `line` is one that `reader` has read, which has the definitions that it refers to. The
 * decision is executed again and observed; if that is impossible, the explanation has what the record holds. Does not
 * throw: a record can have any content. `contents` has bytes that the log lacks, such as the instructions of programs.
 */
export function explain(line: ReadLine, reader: RecordReader, contents: Contents | null = null): Explanation {
  const recorded = recordedOf(line, reader);
  const { record, writer } = recorded;
  const [executed, traces] = execute(line, reader, recorded, contents);
  const attachments = attachmentsOf(recorded, traces);
  const { verdict = 0, enforced_verdict = verdict } = record;
  const evidence = evidenceFor(recorded.subject, attachments, executed.result === "same");
  const denials = (record.audit_denials ?? []).flatMap((denial) => (denial == null ? [] : [denial as Denial]));
  return {
    id: record.id ?? null,
    time: record.time ?? null,
    judged_time: record.judged_time === record.time ? null : (record.judged_time ?? null),
    origin: record.origin ?? null,
    writer: writer === null ? null : { engine: writer.engine, host: writer.host, kernel: writer.kernel },
    hook: record.hook ?? null,
    outcome: outcomeOf(record),
    mode: record.mode ?? null,
    verdict,
    enforced_verdict,
    denied_by: (record.denied_by as Denial | null | undefined) ?? null,
    audit_denials: denials,
    because: reasonsOf(recorded, denials),
    loader_probe: record.loader_probe ?? null,
    subject: {
      kind: record.subject?.kind ?? null,
      name: record.subject?.name ?? null,
      digest: record.subject?.digest ?? null,
      path: record.subject?.path ?? null,
    },
    current: callerOf(record),
    executed,
    attachments,
    default: defaultOf(recorded),
    evidence: withKeptCode(evidence, recorded.subject, contents),
  };
}

function recordedOf({ record, inputs }: ReadLine, reader: RecordReader): Recorded {
  const configuration = inputs === null ? null : reader.definition("configuration", inputs.configuration);
  const { definition = null } = (inputs?.subject ?? {}) as { readonly definition?: string };
  const subject = definition === null ? null : reader.definition("subject", definition);
  const caller = inputs === null ? null : reader.definition("caller", inputs.current?.definition);
  return {
    record: record ?? {},
    inputs,
    configuration: configuration?.content ?? null,
    subject: subject?.content ?? null,
    caller: caller?.content ?? null,
    writer: configuration === null ? null : reader.writerOf(configuration.content),
    masked: [...(inputs?.masked ?? []), ...(subject?.masked ?? []), ...(caller?.masked ?? [])],
    verification: (digest) => reader.definition("verification", digest)?.content ?? null,
  };
}

type Traces = ExplanationTracer["traces"];
const NO_TRACES: Traces = new Map();

/** Executes the decision as it was recorded, and if that gives the same, once more with its policies observed. */
function execute(
  line: ReadLine,
  reader: RecordReader,
  recorded: Recorded,
  contents: Contents | null,
): [Executed, Traces] {
  const versions = otherVersion(recorded.writer);
  const replayed = made(new Replay(reader, null, null, contents), line);
  // Policies of a log can be any text
  if (replayed === null) return [{ ...TOO_LONG, limits: versions }, NO_TRACES];
  const { result, because } = replayed;
  if (result === "unknown" || result === "unasked") return [{ result, because, limits: versions }, NO_TRACES];
  const { configuration, caller, inputs } = recorded;
  const { pid, tid = pid, comm } = inputs!.current;
  const faults = new Map(
    (inputs!.answers ?? []).flatMap(({ attachment, fault }) => (fault === undefined ? [] : [[attachment, fault.code]])),
  );
  const parameter = PARAMETERS[recorded.subject!.kind as SubjectKind] ?? "subject";
  const tracer = new ExplanationTracer({
    decidedBy: configuration!,
    parameter,
    current: { pid, tid, comm, ...caller },
    faults,
  });
  const again = made(new Replay(reader, null, tracer, contents), line);
  const limits = [...versions, ...new Set(tracer.limitations)];
  if (again === null) limits.push(`observed, the policies take more than ${PATIENCE / 1000} s`);
  else if (again.result !== result) limits.push(`observed, the policies answer otherwise: ${again.because}`);
  return [{ result, because, limits }, tracer.traces];
}

/** Milliseconds for a decision. */
const PATIENCE = 60_000;
const TOO_LONG = { result: "unknown", because: `policies that end within ${PATIENCE / 1000} s` } as const;

/** Null if the policies took too long, also in a function of the sandbox that cannot be interrupted. */
function made(replay: Replay, line: ReadLine): Replayed | null {
  const replayed = withTimeLimit(PATIENCE, () => replay.decide(line));
  if (replayed !== null) replay.close();
  return replayed;
}

/** The name of the subject in policies. */
const PARAMETERS: Readonly<Record<SubjectKind, string>> = {
  ...{ program: "prog", map: "map", command: "command", token: "token", file: "file", blob: "blob" },
};

function otherVersion(writer: StartRecord | null): readonly string[] {
  if (writer === null || writer.engine === VERSION) return [];
  return [`the decision was made by Countersign ${writer.engine}, and executed again by ${VERSION}`];
}

function attachmentsOf(recorded: Recorded, traces: Traces): readonly ExplainedAttachment[] {
  const { configuration, record } = recorded;
  const asked = record.answers ?? [];
  if (configuration !== null)
    return configuration.attachments.map((attachment) => attachmentOf(attachment, recorded, traces));
  return asked.map((answer) => ({
    name: answer?.attachment ?? "",
    policy: null,
    digest: answer?.policy ?? null,
    mode: answer?.mode ?? null,
    in_scope: true,
    scope: [],
    answer: answerOf(answer),
    trace: (answer?.helpers ?? []).map(lineOfHelper),
    returned: null,
  }));
}

function attachmentOf(attachment: AttachmentOfRecord, recorded: Recorded, traces: Traces): ExplainedAttachment {
  const { record, inputs, caller, configuration, masked } = recorded;
  const { name, policy, mode } = attachment;
  const answer = record.answers?.find((one) => one?.attachment === name);
  const isKnown = caller !== null && !masked.some((pointer) => pointer.startsWith("/current"));
  const comm = inputs?.current?.comm ?? "";
  const all = scopeConditions(attachment, record.hook ?? "", { ...(caller ?? NOBODY), comm });
  const scope = isKnown ? all : all.filter(({ field }) => field === "hook");
  const trace = traces.get(name);
  const calls = inputs?.answers?.find((one) => one.attachment === name)?.calls;
  const fault = answer?.fault?.code;
  return {
    name,
    policy: configuration!.policies[policy]?.file ?? null,
    digest: policy,
    mode,
    in_scope: answer !== undefined || (scope.every(({ matches }) => matches) && isKnown),
    scope,
    answer: answer === undefined ? null : answerOf(answer),
    trace: trace?.all ?? recordedCalls(calls, recorded.verification),
    returned: fault === undefined || fault === "BAD_RETURN_VALUE" ? (trace?.returned ?? null) : null,
  };
}

const NOBODY = { uid: 0, exe: null, container: null };

function answerOf(answer: NonNullable<ReadRecord["answers"]>[number]): ExplainedAnswer {
  const { verdict = 0, code, reason, fault, notes, unused_reasons, writes, steps } = answer ?? {};
  return {
    verdict,
    code: code ?? null,
    reason: reason ?? null,
    fault: (fault as ExplainedAnswer["fault"]) ?? null,
    notes: (notes ?? []).map(String),
    unused_reasons: listOf(unused_reasons).map(String),
    writes: listOf(writes) as ExplainedAnswer["writes"],
    steps: steps ?? null,
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function lineOfHelper(line: unknown): TraceEvent {
  const call = String(line);
  return { event: "call", call, arguments: [], result: undefined, because: null, rule: null, signers: [], paths: [] };
}

function callerOf({ current }: ReadRecord): ExplainedCaller {
  const { comm, pid, tid, uid, euid, gid, exe, cgroup, container } = current ?? {};
  const labels = container?.labels as Readonly<Record<string, string>> | null | undefined;
  return {
    comm: comm ?? null,
    pid: pid ?? null,
    tid: tid ?? pid ?? null,
    uid: uid ?? null,
    euid: euid ?? null,
    gid: gid ?? null,
    exe: exe ?? null,
    cgroup: cgroup ?? null,
    container:
      container == null ? null : { id: container.id ?? null, name: container.name ?? null, labels: labels ?? null },
  };
}

function defaultOf({ configuration, record }: Recorded): string | null {
  const { hook } = record;
  if (configuration === null || hook === undefined || !Object.hasOwn(HOOKS, hook)) return null;
  return configuration.default[hook as HookName] ?? null;
}

function reasonsOf(recorded: Recorded, audit: readonly Denial[]): readonly string[] {
  const { record } = recorded;
  const { denied_by, loader_probe, answers = [] } = record;
  const reason = ({ reason, code }: Partial<Denial>) => `${reason ?? "no reason"} [${code ?? "no code"}]`;
  const lines = denied_by == null ? [] : [reason(denied_by as Partial<Denial>)];
  lines.push(...audit.map((denial) => `in audit: ${reason(denial)}`));
  if (denied_by != null) return lines;
  if (loader_probe !== undefined)
    return [...lines, `a loader's feature probe, which is allowed unasked: ${loader_probe}`];
  const own = answers.filter((answer) => answer?.mode === "enforce" && answer.fault == null);
  if (own.length > 0) return [...lines, `allowed by ${own.map((answer) => `\`${answer?.attachment}\``).join(", ")}`];
  const rule = defaultOf(recorded);
  return [...lines, `no enforcing attachment answered${rule === null ? "" : `, and the default is ${rule}`}`];
}
