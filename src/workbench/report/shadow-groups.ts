import { clipped } from "../../clipped.js";
import { containerOf } from "../../log/outcome.js";
import type { ReadRecord } from "../../log/read-record.js";
import { shown } from "./example-decision.js";
import type { ShadowData } from "./report-data.js";

/** Maximum number of groups; differences of further ones are added up in one. */
const MAX_GROUPS = 1000;
const MAX_NAME = 120;
const OTHERS = "(others)";

type Group = { -readonly [Key in keyof ShadowData]: ShadowData[Key] };

/** Counts what a shadow would decide otherwise: same change, hook, subject, container, task and reason. */
export class ShadowGroups {
  readonly #groups = new Map<string, Group>();

  add(record: ReadRecord): void {
    const kind = kindOf(record);
    const key = JSON.stringify(Object.values(kind));
    const group = this.#groups.get(key) ?? this.#newGroup(key, { ...kind, id: record.id ?? "" });
    group.count += 1;
  }

  /** The most frequent first. */
  get all(): readonly ShadowData[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count);
  }

  #newGroup(key: string, kind: Omit<ShadowData, "count">): Group {
    if (this.#groups.size < MAX_GROUPS) return this.#add(key, kind);
    const { change } = kind;
    const other = `${OTHERS} ${change}`;
    const others = { change, hook: "", program: OTHERS, container: null, task: "", reason: null, id: "" };
    return this.#groups.get(other) ?? this.#add(other, others);
  }

  #add(key: string, kind: Omit<ShadowData, "count">): Group {
    const group = { ...kind, count: 0 };
    this.#groups.set(key, group);
    return group;
  }
}

function kindOf(record: ReadRecord): Omit<ShadowData, "count" | "id"> {
  const { hook = "", subject, current, denied_by, audit_denials = [], decided, change = "", answers = [] } = record;
  const container = containerOf(record);
  const fault = answers.find((answer) => answer?.fault != null)?.fault;
  const reason = denied_by?.reason ?? decided?.denied_by?.reason ?? audit_denials[0]?.reason ?? fault?.message ?? null;
  return {
    change: clipped(change, MAX_NAME),
    hook: clipped(hook, MAX_NAME),
    program: clipped(subject?.name ?? "", MAX_NAME),
    container: container === null ? null : clipped(container, MAX_NAME),
    task: clipped(current?.comm ?? "", MAX_NAME),
    reason: reason === null ? null : shown(reason.replace(/\b(?:0x)?[0-9a-f]{16,}\b/g, "…")),
  };
}
