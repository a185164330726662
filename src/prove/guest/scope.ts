import type { LabelCondition, TaskCondition } from "../../policy/scope/task-condition.js";
import { currentSymbol } from "./answer.js";
import { get } from "./members.js";
import { type Integer, isWithin } from "./numbers.js";
import { notDecided, test } from "./path.js";
import { type Term, termOf } from "./term.js";

/** Whether a condition of a scope holds for the caller, on this path. */
export function holds(condition: TaskCondition): boolean {
  if ("all" in condition) return condition.all.every(holds);
  if ("any" in condition) return condition.any.some(holds);
  if ("not" in condition) return !holds(condition.not);
  if ("isNull" in condition) return part(condition.isNull) === null;
  if ("uid" in condition) {
    const [first, last] = condition.uid;
    return isWithin(termOf(part("uid")) as Integer, BigInt(first), BigInt(last));
  }
  if ("label" in condition) return labelHolds(condition);
  const text = part(condition.text);
  return text !== null && matches((termOf(text) as Extract<Term, { k: "text" }>).name, condition.glob);
}

/** A part of the caller; null also if the container is null. */
function part(path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => (at === null ? null : get(0, at, key)), currentSymbol());
}

function matches(of: string, glob: string): boolean {
  return test(/[*?]/.test(glob) ? { kind: "matches", of, text: glob } : { kind: "equals", of, text: glob });
}

function labelHolds(condition: LabelCondition): boolean {
  const labels = part("container.labels");
  const value = labels === null ? undefined : get(0, labels, condition.label);
  if (value === undefined) return false;
  switch (condition.is) {
    case "present":
      return true;
    case "among": {
      const { name: of } = termOf(value) as Extract<Term, { k: "text" }>;
      return condition.values.some((text) => test({ kind: "equals", of, text }));
    }
    default:
      return notDecided(`the label \`${condition.label}\` as a number in a scope`);
  }
}
