import { clipped } from "../clipped.js";
import type { Answer, Decision, Origin, SubjectOfDecision } from "../hooks/decision.js";
import type { Container, Current } from "../policy/model/current.js";
import { type AnswerOfRecord, type CallerOfRecord, type DecisionRecord, RECORD_VERSION, timestamp } from "./record.js";

/** The record of a decision, without its level. Strings from the task are truncated. */
export function decisionRecord(decision: Decision, origin: Origin): Omit<DecisionRecord, "level"> {
  const { time, judged_time, subject } = decision;
  const judged = origin === "check" || judged_time !== time;
  // Copied one by one: V8 creates and reads objects from a spread more slowly
  return {
    type: "decision",
    version: RECORD_VERSION,
    time: timestamp(time),
    judged_time: judged ? timestamp(judged_time) : undefined,
    origin,
    id: decision.id,
    operation: decision.operation,
    hook: decision.hook,
    mode: decision.mode,
    verdict: decision.verdict,
    enforced_verdict: decision.enforced_verdict,
    denied_by: decision.denied_by,
    audit_denials: decision.audit_denials,
    loader_probe: decision.loader_probe,
    subject: subjectOfRecord(subject),
    current: callerOf(decision.current),
    answers: decision.answers.map(answerOf),
    grants: decision.grants,
    keyrings: decision.keyrings,
    duration_us: rounded(decision.duration_us),
  };
}

/** A subject with strings of bounded length. */
export function subjectOfRecord(subject: SubjectOfDecision): SubjectOfDecision {
  const { name, path, statements } = subject;
  const clippedNames = { ...subject, name: bounded(name), path: path === null ? null : bounded(path) };
  if (statements === undefined) return clippedNames;
  return { ...clippedNames, statements: statements.map((one) => ({ ...one, name: bounded(one.name) })) };
}

function answerOf(answer: Answer): AnswerOfRecord {
  const { denial } = answer;
  return {
    attachment: answer.attachment,
    mode: answer.mode,
    policy: answer.policy,
    verdict: answer.verdict,
    code: denial === null ? null : denial.code,
    reason: denial === null ? null : denial.reason,
    fault: answer.fault,
    unused_reasons: answer.unused_reasons,
    notes: answer.notes,
    helpers: answer.helpers,
    writes: answer.writes,
    steps: answer.steps,
    duration_us: rounded(answer.duration_us),
  };
}

function callerOf({ pid, tid, uid, euid, gid, comm, exe, cgroup, container }: Current): CallerOfRecord {
  return {
    pid,
    tid,
    uid,
    euid,
    gid,
    comm: bounded(comm),
    exe: exe === null ? null : bounded(exe),
    cgroup: cgroup === null ? null : bounded(cgroup),
    container: container === null ? null : containerOf(container),
  };
}

/** A container with strings and labels of bounded length and number. */
export function containerOf({ id, name, labels }: Container): NonNullable<CallerOfRecord["container"]> {
  return { id: bounded(id), name: name === null ? null : bounded(name), labels: labels === null ? null : some(labels) };
}

/** Nanoseconds as decimals: the difference of two times has digits beyond them that mean nothing. */
function rounded(microseconds: number): number {
  return Math.round(microseconds * 1000) / 1000;
}

/** Limits of one record: characters of each string, and number of container labels. */
const MAX_TEXT = 4096;
const MAX_LABELS = 64;

/** A text of the record. */
export function bounded(text: string): string {
  return clipped(text, MAX_TEXT);
}

function some(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const all = Object.entries(labels);
  const kept = all.slice(0, MAX_LABELS).map(([key, value]) => [bounded(key), bounded(value)]);
  return Object.fromEntries(all.length > kept.length ? [...kept, ["…", `${all.length} labels`]] : kept);
}
