import type { AttachmentOfRecord } from "../../log/input-records.js";
import type { Container, Current } from "../../policy/model/current.js";
import { SCOPE_FIELDS, Scope, type ScopeField, type ScopeRules } from "../../policy/scope/scope.js";
import type { ScopeCondition } from "./explanation.js";

/** The fields of a caller that scopes compare. */
export interface ScopedCaller extends Pick<Current, "uid" | "comm" | "exe"> {
  readonly container: Omit<Container, "annotations"> | null;
}

/** Whether an attachment is asked at a hook for a task, condition by condition. All must match. */
export function scopeConditions(
  { hooks, scope }: AttachmentOfRecord,
  hook: string,
  current: ScopedCaller,
): readonly ScopeCondition[] {
  const rules = scope as ScopeRules;
  const conditions = SCOPE_FIELDS.filter((field) => rules[field] !== undefined).map((field) => {
    const [rule, value] = TEXTS[field](rules, current);
    return { field, rule, value, matches: new Scope({ [field]: rules[field] }).includes(current as Current) };
  });
  return [{ field: "hook", rule: hooks.join(", "), value: hook, matches: hooks.includes(hook) }, ...conditions];
}

/** The rule of a field and what it is compared with, as text. An unknown value matches. */
const TEXTS: Readonly<Record<ScopeField, (rules: ScopeRules, current: ScopedCaller) => readonly [string, string]>> = {
  uid: ({ uid = [] }, current) => [
    uid.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(", "),
    String(current.uid),
  ],
  comm: ({ comm = [] }, current) => [comm.join(", "), current.comm],
  exe: ({ exe = [] }, current) => [exe.join(", "), current.exe ?? "unknown"],
  container: ({ container = true }, { container: its }) => [
    typeof container === "boolean" ? (container ? "any container" : "no container") : container.join(", "),
    its === null ? "no container" : `${its.name ?? "unknown name"}, ${its.id}`,
  ],
  labels: ({ labels = "" }, { container }) => [labels, labelsText(container)],
};

function labelsText(container: ScopedCaller["container"]): string {
  if (container === null) return "no container";
  if (container.labels === null) return "unknown";
  const all = Object.entries(container.labels).map(([key, value]) => `${key}=${value}`);
  return all.length === 0 ? "no labels" : all.join(", ");
}
