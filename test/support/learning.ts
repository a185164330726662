import { readFileSync } from "node:fs";
import { readConfig } from "../../src/config/config.js";
import { decideFile } from "../../src/engine/file-decisions.js";
import { TimedEngine } from "../../src/engine/timed-engine.js";
import { type ReadLine, RecordReader } from "../../src/log/record-reader.js";
import type { Current } from "../../src/policy/model/current.js";
import { Learner } from "../../src/workbench/learn/learner.js";
import { task } from "../task.js";
import { own, Workplace } from "./workplace.js";

/** A task in a container with these labels; null for labels that nobody could read. */
export function inContainer(labels: Readonly<Record<string, string>> | null, more: Partial<Current> = {}): Current {
  return task({ container: { id: "c0", name: "web", labels, annotations: {} }, ...more });
}

/** The example objects that are decided about, each with who asks. */
export type Loads = readonly (readonly [object: string, current?: Current])[];

/** A workplace with the log of decisions about example objects by the policy `observe`. */
export async function observed(
  loads: Loads,
  { signed = [], log = "level: inputs", mode = "audit", policy = "observe.js" }: Partial<Observing> = {},
): Promise<Workplace> {
  const attachment = `  - { policy: policies/${policy}, limits: { timeout: 5s } }\n`;
  const place = new Workplace(attachment, `mode: ${mode}\nlog: { file: decisions.jsonl, ${log} }`);
  place.policy(policy);
  for (const name of signed) place.signPrograms(readFileSync(own(`examples/${name}.o`)));
  await decide(place, loads);
  return place;
}

interface Observing {
  /** Names of the objects that are signed. */
  readonly signed: readonly string[];
  /** Keys of `log` in the configuration. */
  readonly log: string;
  readonly mode: string;
  /** A policy that ships. */
  readonly policy: string;
}

/** Adds decisions to the log of a workplace. */
export async function decide(place: Workplace, loads: Loads): Promise<void> {
  const engine = await TimedEngine.open(readConfig(place.config, "check"));
  for (const [object, current = task()] of loads)
    await decideFile(engine, own(`examples/${object}.o`), { current, wholeLoad: true });
  engine.close();
}

export function linesOf(place: Workplace, name = "decisions.jsonl"): readonly string[] {
  return readFileSync(place.at(name), "utf8").trimEnd().split("\n");
}

/** A learner that has taken these lines. */
export function learnerOf(lines: readonly string[], label: string | null = null): Learner {
  const reader = new RecordReader();
  const learner = new Learner(reader, label);
  for (const line of lines) learner.add(reader.read(line) as ReadLine);
  return learner;
}
