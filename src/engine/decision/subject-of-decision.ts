import type { Statement } from "../../bpf/model/facts.js";
import { HOOKS, type HookName, type HookRow } from "../../hooks/catalogue.js";
import type { StatementOfDecision, SubjectOfDecision } from "../../hooks/decision.js";
import type { Subject } from "../../hooks/subject.js";

/** The part of a subject that a decision keeps: what names it, and the statements that it matches. */
export function subjectOfDecision(hook: HookName, subject: Subject): SubjectOfDecision {
  const { name, digest } = subject;
  const { subject: kind, purpose }: HookRow = HOOKS[hook];
  const named = { kind, name: name ?? purpose ?? kind, digest, path: pathOf(subject) };
  const statements = "statements" in subject ? subject.statements : NO_STATEMENTS;
  return statements.length === 0
    ? named
    : { ...named, statements: statements.slice(0, MAX_STATEMENTS).map(withoutSettings) };
}

/** Maximum number of statements in a decision. */
const MAX_STATEMENTS = 64;
const NO_STATEMENTS: readonly Statement[] = [];

function withoutSettings({ sha256, object_sha256, name }: Statement): StatementOfDecision {
  return { sha256, object_sha256, name };
}

function pathOf(subject: Subject): string | null {
  if ("path" in subject) return subject.path ?? null;
  return "object" in subject ? (subject.object?.path ?? null) : null;
}
