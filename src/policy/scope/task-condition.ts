import type { Current } from "../model/current.js";
import { Glob } from "./glob.js";

/** The parts of a task that scopes test. */
export type TaskText = "comm" | "exe" | "container.id" | "container.name";
export type TaskPart = "exe" | "container" | "container.name" | "container.labels";

/**
 * A condition on a task as data, so that the prover finds out for which tasks it holds without a copy of the rules of
 * scopes. Parts of `all` and `any` are tested in order, and those after the first that decides are not.
 */
export type TaskCondition =
  | { readonly all: readonly TaskCondition[] }
  | { readonly any: readonly TaskCondition[] }
  | { readonly not: TaskCondition }
  | { readonly isNull: TaskPart }
  /** Both ends are included. */
  | { readonly uid: readonly [first: number, last: number] }
  /** A pattern (see Glob); null does not match. */
  | { readonly text: TaskText; readonly glob: string }
  | LabelCondition;

/**
 * A label exists, its value is one of some, or it is a signed 64-bit integer above or below a limit (decimal text).
 * The last three are false for a label that is missing.
 */
export type LabelCondition =
  | { readonly label: string; readonly is: "present" }
  | { readonly label: string; readonly is: "among"; readonly values: readonly string[] }
  | { readonly label: string; readonly is: "above" | "below"; readonly limit: string };

/** The most bytes of a task's name: TASK_COMM_LEN of linux/sched.h without the NUL at the end. */
export const MOST_COMM = 15;

/** The function that tests a condition. Labels that are null have no label. */
export function taskTest(condition: TaskCondition): (current: Current) => boolean {
  if ("all" in condition) {
    const tests = condition.all.map(taskTest);
    return (current) => tests.every((test) => test(current));
  }
  if ("any" in condition) {
    const tests = condition.any.map(taskTest);
    return (current) => tests.some((test) => test(current));
  }
  if ("not" in condition) {
    const test = taskTest(condition.not);
    return (current) => !test(current);
  }
  if ("isNull" in condition) {
    const part = PARTS[condition.isNull];
    return (current) => part(current) === null;
  }
  if ("uid" in condition) {
    const [first, last] = condition.uid;
    return ({ uid }) => uid >= first && uid <= last;
  }
  if ("text" in condition) {
    const [part, glob] = [PARTS[condition.text], new Glob(condition.glob)];
    return (current) => {
      const text = part(current);
      return typeof text === "string" && glob.matches(text);
    };
  }
  const { label } = condition;
  return ({ container }) => {
    const labels = container?.labels ?? NO_LABELS;
    return labelHolds(condition, Object.hasOwn(labels, label) ? labels[label] : undefined);
  };
}

const NO_LABELS: Readonly<Record<string, string>> = {};

const PARTS: Readonly<Record<TaskPart | TaskText, (current: Current) => unknown>> = {
  comm: ({ comm }) => comm,
  exe: ({ exe }) => exe,
  container: ({ container }) => container,
  "container.id": ({ container }) => container?.id ?? null,
  "container.name": ({ container }) => container?.name ?? null,
  "container.labels": ({ container }) => container?.labels ?? null,
};

/** Whether the value of a label satisfies a condition; undefined if the label is missing. */
export function labelHolds(condition: LabelCondition, value: string | undefined): boolean {
  switch (condition.is) {
    case "present":
      return value !== undefined;
    case "among":
      return value !== undefined && condition.values.includes(value);
    case "above":
    case "below": {
      const [left, right] = [int64(value), int64(condition.limit)];
      if (left === null || right === null) return false;
      return condition.is === "above" ? left > right : left < right;
    }
  }
}

/** Like Go's strconv.ParseInt(text, 10, 64); null for an error. */
export function int64(text: string | undefined): bigint | null {
  if (text === undefined || !/^[+-]?[0-9]{1,40}$/.test(text)) return null;
  const value = BigInt(text.replace(/^\+/, ""));
  return BigInt.asIntN(64, value) === value ? value : null;
}
