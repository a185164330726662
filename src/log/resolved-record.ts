import { bounded } from "./decision-record.js";
import type {
  CallerContent,
  ConfigurationContent,
  DefinitionType,
  Digest,
  InputsAnswerOfRecord,
  InputsDecisionRecord,
  SubjectContent,
} from "./input-records.js";
import type { ReadRecord } from "./read-record.js";

/** The definition of a type with a digest; null if the log did not have it so far. */
export type Find = (type: DefinitionType, digest: Digest) => { readonly content: unknown } | null;

/** Whether the log has had the configuration, the caller and the subject of a decision. */
export function isComplete({ configuration, subject, current }: InputsDecisionRecord, find: Find): boolean {
  const has = (type: DefinitionType, digest: unknown) => typeof digest === "string" && find(type, digest) !== null;
  return (
    has("configuration", configuration) &&
    has("caller", current?.definition) &&
    (subject === undefined || !("definition" in subject) || has("subject", subject.definition))
  );
}

/** Whether a decision names another subject than its definition. A masked name contradicts nothing. */
export function contradicts({ subject }: InputsDecisionRecord, find: Find): boolean {
  if (subject === undefined || !("definition" in subject)) return false;
  const { facts } = (find("subject", subject.definition)?.content ?? {}) as Partial<SubjectContent>;
  const name = facts?.name;
  return typeof name === "string" && typeof subject.name === "string" && bounded(name) !== subject.name;
}

/**
 * A decision with the fields of a record of level `decision`, from its definitions, in the place of their digests.
 * Fields of a definition that is missing are absent.
 */
export function resolved(decision: InputsDecisionRecord, find: Find): ReadRecord {
  const contentOf = <T>(type: DefinitionType, digest: unknown): Partial<T> => {
    const found = typeof digest === "string" ? find(type, digest) : null;
    return (found?.content ?? {}) as Partial<T>;
  };
  const configuration = contentOf<ConfigurationContent>("configuration", decision.configuration);
  const { configuration: _, subject, current, answers = [], denied_by = null, audit_denials = [], ...rest } = decision;
  const caller = contentOf<CallerContent>("caller", current?.definition);
  const record = {
    ...rest,
    operation: decision.operation ?? null,
    mode: configuration.mode,
    enforced_verdict: decision.enforced_verdict ?? decision.verdict,
    denied_by,
    audit_denials,
    subject:
      subject !== undefined && "definition" in subject
        ? subjectFrom(subject.name, contentOf<SubjectContent>("subject", subject.definition))
        : subject,
    current: currentFrom(current, caller),
    answers: answers.map((answer) => answerFrom(answer, decision, configuration)),
    keyrings: keyringsOf(answers, configuration),
  };
  return record as unknown as ReadRecord;
}

function subjectFrom(name: string, { kind, facts = {} }: Partial<SubjectContent>): object {
  const { digest, path, object, statements } = facts as Readonly<Record<string, unknown>>;
  const from = path ?? (object as { readonly path?: unknown } | null | undefined)?.path ?? null;
  const its = Array.isArray(statements) && statements.length > 0 ? { statements: statements.map(nameOf) } : {};
  return { kind, name, digest, path: from, ...its };
}

function nameOf({ sha256, object_sha256, name }: Readonly<Record<string, unknown>>): object {
  return { sha256, object_sha256, name };
}

function currentFrom(given: InputsDecisionRecord["current"], caller: Partial<CallerContent>): object {
  const { pid, tid = pid, comm } = given ?? {};
  const { uid, euid, gid, exe, cgroup, container } = caller;
  const its = container == null ? null : { id: container.id, name: container.name, labels: container.labels };
  return { pid, tid, uid, euid, gid, comm, exe, cgroup, container: its };
}

/** The code and the reason of an answer can be those of a denial of the record. */
function answerFrom(
  answer: InputsAnswerOfRecord,
  { denied_by, audit_denials = [] }: InputsDecisionRecord,
  { attachments = [] }: Partial<ConfigurationContent>,
): object {
  const attached = attachments.find(({ name }) => name === answer.attachment);
  const denials = denied_by == null ? audit_denials : [denied_by, ...audit_denials];
  const denial = denials.find(({ attachment }) => attachment === answer.attachment);
  const { code, reason } = answer.code === undefined && answer.verdict !== 0 ? (denial ?? answer) : answer;
  return {
    ...answer,
    mode: attached?.mode,
    policy: attached?.policy,
    code: code ?? null,
    reason: reason ?? null,
    fault: answer.fault ?? null,
    unused_reasons: answer.unused_reasons ?? [],
    notes: answer.notes ?? [],
    calls: answer.calls ?? [],
    writes: answer.writes ?? [],
  };
}

/** The generations of the keyrings that policies asked. */
function keyringsOf(
  answers: readonly InputsAnswerOfRecord[],
  { keyrings = {} }: Partial<ConfigurationContent>,
): Readonly<Record<string, number | undefined>> {
  const names = answers.flatMap(({ calls = [] }) => calls.flatMap((call) => ("keyring" in call ? [call.keyring] : [])));
  return Object.fromEntries(names.map((name) => [name, keyrings[name]?.generation]));
}
