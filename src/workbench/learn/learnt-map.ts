import { visibleJson } from "../../visible-text.js";
import { keyOf, type LearntRule } from "./learnt-rules.js";
import { wellFormed } from "./well-formed.js";

/** The map that a learnt policy looks programs up in. */
export const LEARNT_MAP = "learnt_programs";

/** Number of names of programs in an entry, and of characters of each: they are there for people only. */
const MAX_NAMES = 8;
const MAX_NAME = 64;

/** The value of a key of the map, for a rule. */
export interface LearntEntry {
  /** Only in entries by effects. */
  readonly effects?: readonly string[];
  /** Absent if programs are learnt for all tasks together. */
  readonly where?: readonly string[];
  readonly programs: readonly string[];
  /** The number of programs that are not named. */
  readonly more?: number;
  readonly kernels?: readonly string[];
  readonly object?: string;
}

/** The map: rules by effects are lists, one for each type of program, and each other rule is an entry of its own. */
export function learntMap(rules: readonly LearntRule[]): ReadonlyMap<string, LearntEntry | readonly LearntEntry[]> {
  const map = new Map<string, LearntEntry | LearntEntry[]>();
  for (const rule of rules) {
    const { condition } = rule;
    if (condition.by !== "effects") {
      map.set(keyOf(condition), entryOf(rule));
      continue;
    }
    const key = `effects ${condition.type}`;
    const entries = (map.get(key) ?? []) as LearntEntry[];
    map.set(key, [...entries, entryOf(rule)]);
  }
  return map;
}

/** The map in JSON, with one entry in each line. */
export function learntMapJson(rules: readonly LearntRule[]): string {
  const entries = [...learntMap(rules)].map(([key, value]) => {
    const lines = Array.isArray(value) ? `[\n${value.map((one) => `    ${json(one)}`).join(",\n")}\n  ]` : json(value);
    return `  ${json(key)}: ${lines}`;
  });
  return `{\n${entries.join(",\n")}\n}\n`;
}

export function json(value: unknown): string {
  return visibleJson(JSON.stringify(value));
}

function entryOf({ condition, programs, where, kernels, object }: LearntRule): LearntEntry {
  const names = programs.slice(0, MAX_NAMES).map(shortened);
  return {
    ...(condition.by === "effects" ? { effects: condition.effects } : {}),
    ...(where.length === 0 ? {} : { where }),
    programs: names,
    ...(programs.length > names.length ? { more: programs.length - names.length } : {}),
    ...(kernels.length === 0 ? {} : { kernels }),
    ...(object === null ? {} : { object }),
  };
}

/** A name of bounded length. */
export function shortened(name: string): string {
  return name.length <= MAX_NAME ? name : wellFormed(`${name.slice(0, MAX_NAME)}…`);
}
