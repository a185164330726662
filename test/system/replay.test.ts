import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config/config.js";
import { fileQuestions } from "../../src/engine/file-decisions.js";
import type { Question } from "../../src/engine/files/load-questions.js";
import { TimedEngine } from "../../src/engine/timed-engine.js";
import type { InputsDecisionRecord } from "../../src/log/input-records.js";
import { RecordReader } from "../../src/log/record-reader.js";
import type { Current } from "../../src/policy/model/current.js";
import { Replay } from "../../src/workbench/replay/replay.js";
import { embeddedObjects, exampleObjects, type InstalledObject, objectFiles } from "../support/real-objects.js";
import { own, Workplace } from "../support/workplace.js";
import { task } from "../task.js";
import { amount } from "./nightly.js";

const POLICIES = readdirSync(own("policies")).filter((name) => /^[a-z-]+\.[jt]s$/.test(name));
const DECISIONS = amount(5_000, 100_000);
const PACKAGES: Readonly<Record<string, (name: string) => InstalledObject[]>> = {
  "libbpf-tools": embeddedObjects,
  "xdp-tools": objectFiles,
  libxdp1: objectFiles,
};
const MAPS = `maps:
  debug_read_only: { file: debug.yaml }
  allowed_programs: { file: allowed.yaml }
  container_policy: { file: containers.yaml }
  program_budget: { writable: { entries: 10000, bytes: 1MiB } }
`;

/** The objects of this project and of the packages that are installed. */
function objects(): readonly InstalledObject[] {
  const installed = Object.entries(PACKAGES).flatMap(([name, read]) => {
    try {
      return read(name);
    } catch {
      return [];
    }
  });
  return [...exampleObjects(), ...installed];
}

/** A caller for each round, so that no decision is made twice. */
const callerOf = (round: number): Current => {
  const labels = { tier: ["edge", "core", "batch"][round % 3]!, pod: `pod-${round}` };
  const container = { id: `c${round}`, name: null, labels, annotations: { owner: `team-${round}` } };
  return task({
    pid: round + 1,
    uid: round % 5 === 0 ? 1000 : 0,
    comm: "loader",
    container: round % 4 === 0 ? null : container,
  });
};

/** The files of a log: the newest last, as they were written. */
function filesOf(log: string): readonly string[] {
  const rotated: string[] = [];
  for (let number = 1; existsSync(`${log}.${number}`); number += 1) rotated.unshift(`${log}.${number}`);
  return [...rotated, log];
}

describe(`a log of ${DECISIONS.toLocaleString("en-US")} decisions of all shipped policies about real objects`, () => {
  let place: Workplace;
  beforeAll(async () => {
    const attachments = POLICIES.map((name) => `  - { policy: policies/${name}, limits: { timeout: 10s } }\n`);
    const log = "log: { file: decisions.jsonl, level: inputs, rotate: 8MiB, keep: 1000 }\n";
    place = new Workplace(attachments.join(""), `${log}${MAPS}`);
    for (const name of POLICIES) place.policy(name);
    place.write("debug.yaml", "uid: 1000\n");
    place.write("allowed.yaml", "none: 1\n");
    place.write("containers.yaml", "edge: { keyring: platform }\n");
    const files = objects().map(({ name, bytes }) => {
      return { path: place.write(`objects/${name.replaceAll("/", "-")}`, bytes), bytes };
    });
    const signed = files.slice(0, 6);
    for (const { bytes } of signed) place.signPrograms(bytes);
    const engine = await TimedEngine.open(readConfig(place.config, "check"));
    // Facts are computed once: a gate keeps them too
    const questions = files.flatMap(({ path }) => questionsAbout(engine, path));
    let made = 0;
    for (let round = 0; made < DECISIONS; round += 1) {
      const current = callerOf(round);
      for (const { hook, subject } of questions.slice(0, DECISIONS - made)) {
        await engine.decide({ hook, subject: subject as never, current });
        made += 1;
      }
    }
    engine.close();
  }, 1_800_000);
  afterAll(() => rmSync(place.folder, { recursive: true }));

  it("is replayed the same, each of its files alone", () => {
    const files = filesOf(place.at("decisions.jsonl"));
    expect(files.length).toBeGreaterThan(1);
    const distinct = new Set<string>();
    const others: string[] = [];
    let same = 0;
    for (const file of files) {
      const reader = new RecordReader();
      const replay = new Replay(reader);
      for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
        const read = reader.read(line);
        if (read.damage !== null) others.push(read.damage);
        if (read.record?.type !== "decision") continue;
        const { result, because } = replay.decide(read);
        if (result === "same") same += 1;
        else others.push(`${result}: ${because}`);
        distinct.add(asked(read.inputs!));
      }
      replay.close();
    }
    expect([...new Set(others)]).toEqual([]);
    expect(same).toBeGreaterThanOrEqual(DECISIONS);
    // Objects share programs and maps by name and content, so that some decisions are alike
    expect(distinct.size).toBeGreaterThan(same / 2);
  }, 1_800_000);
});

/** The decisions of a load; none about an object that is rejected, such as one with legacy maps. */
function questionsAbout(engine: TimedEngine, path: string): readonly Question[] {
  try {
    return fileQuestions(engine, path, { wholeLoad: true });
  } catch {
    return [];
  }
}

/** What a decision is about, and who asks. */
function asked({ hook, subject, current, configuration }: InputsDecisionRecord): string {
  return JSON.stringify([hook, subject, current, configuration]);
}
