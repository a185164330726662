import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import { decideFile } from "../../../../src/engine/file-decisions.js";
import { TimedEngine } from "../../../../src/engine/timed-engine.js";
import type { ReadRecord } from "../../../../src/log/read-record.js";
import { RecordReader } from "../../../../src/log/record-reader.js";
import type { Current } from "../../../../src/policy/model/current.js";
import { Replay, type Replayed } from "../../../../src/workbench/replay/replay.js";
import { ReplayedConfiguration } from "../../../../src/workbench/replay/replayed-configuration.js";
import { StoredContents } from "../../../../src/workbench/replay/stored-contents.js";
import { own, Workplace } from "../../../support/workplace.js";
import { task } from "../../../task.js";

const OBJECTS = readdirSync(own("examples")).filter((name) => name.endsWith(".o") && !name.includes(".be."));
const POLICIES = readdirSync(own("policies")).filter((name) => /^[a-z-]+\.[jt]s$/.test(name));
const CALLERS: readonly Current[] = [
  task(),
  task({ uid: 1000, comm: "tc" }),
  task({ container: { id: "c0", name: "web", labels: { tier: "edge" }, annotations: { owner: "net" } } }),
];
const COUNTER = `import { deny, hash, map_delete, map_lookup, map_update, note, read, EBUSY } from "countersign";
export function bpf_prog_load(prog, current) {
  const seen = (map_lookup("seen", prog.name) ?? 0) + 1;
  map_update("seen", prog.name, seen);
  map_update("seen", "scratch", 1);
  map_delete("seen", "scratch");
  note(hash("sha256", prog.insns) + " " + read(prog.insns, 0, 4).join() + " " + current.container?.annotations?.owner);
  return seen > 2 ? deny("was loaded twice", EBUSY) : 0;
}`;

/** Decides about all objects for all callers; returns the lines of the log. */
async function recorded(place: Workplace): Promise<readonly string[]> {
  const engine = await TimedEngine.open(readConfig(place.config, "check"));
  for (const current of CALLERS)
    for (const name of OBJECTS) await decideFile(engine, own(`examples/${name}`), { current, wholeLoad: true });
  engine.close();
  return readFileSync(place.at("decisions.jsonl"), "utf8").trimEnd().split("\n");
}

function replayed(
  lines: readonly string[],
  other: ReplayedConfiguration | null = null,
  contents: StoredContents | null = null,
): readonly Replayed[] {
  const reader = new RecordReader();
  const replay = new Replay(reader, other, null, contents);
  const results = lines.flatMap((line) => {
    const read = reader.read(line);
    return read.record?.type === "decision" ? [replay.decide(read)] : [];
  });
  replay.close();
  return results;
}

/** What a decision does: its verdicts and denials. */
const told = ({ enforced_verdict, denied_by, answers = [] }: ReadRecord) =>
  JSON.stringify([
    enforced_verdict,
    denied_by?.reason,
    answers.map(({ verdict, reason }) => [verdict, reason ?? null]),
  ]);
const counted = (results: readonly Replayed[]) => {
  const counts: Record<string, number> = {};
  for (const { result } of results) counts[result] = (counts[result] ?? 0) + 1;
  return counts;
};

const attachments = POLICIES.map((name) => `  - { policy: policies/${name}, limits: { timeout: 5s } }\n`).join("");
const LOG = `log: { file: decisions.jsonl, level: inputs }
maps:
  debug_read_only: { file: debug.yaml }
  allowed_programs: { file: allowed.yaml }
  container_policy: { file: containers.yaml }
  program_budget: { writable: { entries: 1000, bytes: 64KiB } }
  seen: { writable: { entries: 100, bytes: 8KiB } }`;
let place: Workplace;
let lines: readonly string[];
beforeAll(async () => {
  place = new Workplace(`${attachments}  - { policy: policies/counter.js, limits: { timeout: 5s } }\n`, LOG);
  for (const name of POLICIES) place.policy(name);
  place.write("policies/counter.js", COUNTER);
  place.write("debug.yaml", "uid: 1000\n");
  place.write("allowed.yaml", "none: 1\n");
  place.write("containers.yaml", "edge: { keyring: platform }\n");
  for (const name of OBJECTS.slice(0, 6)) place.signPrograms(readFileSync(own(`examples/${name}`)));
  lines = await recorded(place);
}, 300_000);

describe("a replay", () => {
  it("makes every recorded decision of all shipped policies again, the same", { tags: ["deep"] }, () => {
    const results = replayed(lines);
    expect(results.filter(({ result }) => result !== "same").map(({ because }) => because)).toEqual([]);
    expect(results.length).toBeGreaterThan(50);
  });

  it("with the objects gives what deciding anew gives, also for bytes and keyrings that the log does not have", {
    tags: ["deep"],
  }, async () => {
    const other = new Workplace(`${attachments}  - { policy: policies/counter.js, limits: { timeout: 5s } }\n`, LOG);
    for (const name of POLICIES) other.policy(name);
    for (const name of ["debug.yaml", "allowed.yaml", "containers.yaml"])
      other.write(name, readFileSync(place.at(name)));
    for (const name of readdirSync(place.at("signatures")))
      copyFileSync(place.at(`signatures/${name}`), other.at(`signatures/${name}`));
    // Another keyring, whose authorities are those of the first one and one more
    other.write("certs/ca.pem", `${place.ca.pem.certificate}${other.ca.pem.certificate}`);
    const reads = 'hash("sha512", prog.insns) + read(prog.insns, 0, 8)';
    other.write("policies/counter.js", COUNTER.replace("read(prog.insns, 0, 4)", reads));
    const configuration = () => ReplayedConfiguration.fromFiles(readConfig(other.config, "check"));
    expect(counted(replayed(lines, configuration())).unknown).toBeGreaterThan(20);
    const contents = StoredContents.of([own("examples"), place.at("signatures")]);
    const results = replayed(lines, configuration(), contents);
    expect(results.filter(({ result }) => result === "unknown").map(({ because }) => because)).toEqual([]);
    const reader = new RecordReader();
    const anew = (await recorded(other)).flatMap((line) => reader.read(line).record ?? []);
    const verdicts = anew
      .filter(({ type }) => type === "decision")
      .map(({ answers = [] }) => answers.map((answer) => answer?.verdict));
    expect(results.map(({ again }) => again!.answers.map(({ verdict }) => verdict))).toEqual(verdicts);
    const isVerified = ({ again }: Replayed) =>
      again!.answers.some(({ attachment, verdict }) => attachment === "verify-all" && verdict === 0);
    expect(results.filter(isVerified).length).toBeGreaterThan(5);
  });

  it("by a changed policy names exactly the decisions that change, as deciding anew from the files does", {
    tags: ["deep"],
  }, async () => {
    place.write("policies/counter.js", COUNTER.replace("seen > 2", "seen > 1"));
    const results = replayed(lines, ReplayedConfiguration.fromFiles(readConfig(place.config, "check")));
    const changed = results.flatMap(({ result }, index) => (result === "different" ? [index] : []));
    const again = await recorded(place);
    const reader = new RecordReader();
    const anew = again
      .flatMap((line) => reader.read(line).record ?? [])
      .filter(({ type }) => type === "decision")
      .slice(results.length);
    const differing = results.flatMap(({ line }, index) => (told(line.record!) === told(anew[index]!) ? [] : [index]));
    place.write("policies/counter.js", COUNTER);
    expect(anew).toHaveLength(results.length);
    expect(results.filter(({ result }) => result === "unknown")).toEqual([]);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed).toEqual(differing);
    for (const index of changed) expect(results[index]!.because).not.toBe("");
  });

  it("names the input that a changed policy asks for and that is not in the log", { tags: ["deep"] }, () => {
    place.write("policies/counter.js", COUNTER.replace("read(prog.insns, 0, 4)", "read(prog.insns, 0, 8)"));
    const results = replayed(lines, ReplayedConfiguration.fromFiles(readConfig(place.config, "check")));
    place.write("policies/counter.js", COUNTER);
    const missing = new Set(results.flatMap(({ result, because }) => (result === "unknown" ? [because] : [])));
    expect([...missing]).toEqual(["bytes 0 to 7 of `insns`"]);
  });

  it("does not count a decision as the same whose definition is missing", () => {
    const results = replayed(lines.filter((line) => !line.includes('"type":"subject"')));
    expect(counted(results)).toEqual({ unknown: results.length });
  });
});
