import { Glob } from "../../policy/scope/glob.js";
import { Scope, type ScopeRules } from "../../policy/scope/scope.js";
import { MOST_COMM, type TaskCondition } from "../../policy/scope/task-condition.js";
import { DEFAULT_LIMITS } from "../../sandbox/shared/limits.js";
import { type ExplorationLimits, exploreDecisions } from "../explorer/exploration.js";

/** Which tasks a scope cannot match: none at all, or none of which labels, name and executable are known. */
export type DeadScope = "no task" | "no task that is known";

/** The errnos with which {@link PROBE} denies. */
const KNOWN = -1;
const UNKNOWN = -2;

/** A policy that says whether everything is known of a task that scopes test. */
const PROBE = `export const blob_verify = (_, { exe, container }) => {
  const isUnknown = container !== null && (container.labels === null || container.name === null);
  return exe === null || isUnknown ? ${UNKNOWN} : ${KNOWN};
};
`;

/** Which tasks a scope can never match; null if it can match some, or if that is not decided. */
export function deadScope(scope: ScopeRules, bounds: ExplorationLimits): DeadScope | null {
  const attachment = {
    name: "probe",
    mode: "enforce",
    onFault: "deny",
    scope: ofTasks(Scope.of(scope).condition),
  } as const;
  const { paths, unfinished } = exploreDecisions(
    {
      policies: [{ file: "probe.js", files: { read: () => PROBE, root: "." } }],
      configuration: { keyrings: [], maps: [], mode: "enforce", default: "allow", attachments: [attachment] },
    },
    "blob_verify",
    DEFAULT_LIMITS,
    bounds,
  );
  const verdicts = new Set<unknown>();
  for (const { end, example } of paths) {
    if (end.kind !== "decision" || example === "unknown") return null;
    verdicts.add(end.verdict);
  }
  if (unfinished !== null || verdicts.has(KNOWN)) return null;
  return verdicts.has(UNKNOWN) ? "no task that is known" : "no task";
}

/** What a condition says of tasks that there can be: no task has a name that is longer than the kernel's. */
function ofTasks(condition: TaskCondition): TaskCondition {
  if ("all" in condition) return { all: condition.all.map(ofTasks) };
  if ("any" in condition) return { any: condition.any.map(ofTasks) };
  if ("not" in condition) return { not: ofTasks(condition.not) };
  const isName = "text" in condition && condition.text === "comm";
  // Each character has at least one byte
  return isName && new Glob(condition.glob).least > MOST_COMM ? NONE : condition;
}

const NONE: TaskCondition = { any: [] };
