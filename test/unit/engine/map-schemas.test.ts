import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { parseConfig, readConfig } from "../../../src/config/config.js";
import { Engine } from "../../../src/engine/decision/engine.js";
import { TimedEngine } from "../../../src/engine/timed-engine.js";
import { CountersignError } from "../../../src/error.js";
import { RecordReader } from "../../../src/log/record-reader.js";
import { Replay } from "../../../src/workbench/replay/replay.js";
import { ReplayedConfiguration } from "../../../src/workbench/replay/replayed-configuration.js";
import { runTests } from "../../../src/workbench/testing/test-run.js";
import { Workplace } from "../../support/workplace.js";
import { task } from "../../task.js";

const SCHEMA = `{
    file: budgets.yaml, writable: { entries: 10, bytes: 1KiB }, keys: { enum: [web, db, blob] },
    values: { type: object, properties: { n: { type: integer, minimum: 1 } }, additionalProperties: false } }`;
/** Returns the verdict of its write, as an errno. */
const POLICY = `import { deny, map_lookup, map_update } from "countersign";
export function blob_verify(blob) {
  const before = map_lookup("budgets", "blob")?.n ?? 0;
  const result = map_update("budgets", blob.name, blob.name === "web" ? { n: "text" } : { n: before + 1 });
  return result === 0 ? 0 : deny("not written", -result);
}`;

const open: Engine[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.close();
});

function placeOf(schema = SCHEMA, budgets = "web: { n: 1 }\n", mode = "enforce"): Workplace {
  const place = new Workplace(
    `  - { policy: policies/p.js, mode: ${mode}, limits: { timeout: 5s } }\n`,
    `maps:\n  budgets: ${schema}\nlog: { file: decisions.jsonl, level: inputs }`,
  );
  place.write("policies/p.js", POLICY);
  place.write("budgets.yaml", budgets);
  return place;
}

async function engineOf(place: Workplace): Promise<Engine> {
  const engine = await Engine.open(readConfig(place.config, "check"));
  open.push(engine);
  return engine;
}

const blob = (name: string) => ({ name, digest: "00".repeat(32), data: Buffer.from(name), signature: null });
const decide = (engine: Engine, name: string) =>
  engine.decide({ hook: "blob_verify", subject: blob(name), current: task() }).answers[0]!;

async function rejection(act: () => unknown): Promise<CountersignError> {
  try {
    await act();
  } catch (error) {
    if (error instanceof CountersignError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

describe("a map with a schema", () => {
  it.each([
    ["a value", "web:\n  n: 1\ndb:\n  n: 0\n", ":4:6", "the value of `db` at `n` is 0, less than the `minimum` 1"],
    ["a name", "web: { n: 1, m: 1 }\n", ":1:17", "the value of `web` at `m` is none of the `properties`"],
    ["a key", "web: {}\nother: {}\n", ":2:1", "the key `other` is none of the keys of `enum`"],
  ])("is not begun with a file in which %s breaks it, whose place is named", async (_, budgets, at, message) => {
    const place = placeOf(SCHEMA, budgets);
    const error = await rejection(() => engineOf(place));
    expect(error).toMatchObject({ code: "MAP_INVALID", message });
    expect(error.place).toContain(`budgets.yaml${at}`);
  });

  it("names the place also in a file of JSON", async () => {
    const place = placeOf(SCHEMA.replace("budgets.yaml", "budgets.json"));
    place.write("budgets.json", '{\n\t"web": {"n": 1},\n\t"db": {"n": "1"}}');
    const error = await rejection(() => engineOf(place));
    expect(error.message).toBe("the value of `db` at `n` is string, where `type` is integer");
    expect(error.place).toContain("budgets.json:3:14");
  });

  it.each(["enforce", "audit"])("takes no entry of a policy that breaks it, in %s", async (mode) => {
    const engine = await engineOf(placeOf(SCHEMA, "db: { n: 1 }\n", mode));
    expect(decide(engine, "web")).toMatchObject({ verdict: -22, writes: [] });
    expect(decide(engine, "other")).toMatchObject({ verdict: -22, writes: [] });
    expect(decide(engine, "blob")).toMatchObject({ verdict: 0, writes: [{ key: "blob", value: '{"n":1}' }] });
  });

  it("takes no contents of a test case that break it, and keeps what it has", async () => {
    const engine = await engineOf(placeOf());
    expect(decide(engine, "blob").writes[0]?.value).toBe('{"n":1}');
    const error = await rejection(() => engine.resetMaps({ budgets: { blob: { n: 0 } } }));
    expect(error).toMatchObject({ code: "MAP_INVALID" });
    expect(error.message).toBe("the value of `blob` at `n` is 0, less than the `minimum` 1");
    expect(decide(engine, "blob").writes[0]?.value).toBe('{"n":2}');
    engine.resetMaps({ budgets: { blob: { n: 7 } } });
    expect(decide(engine, "blob").writes[0]?.value).toBe('{"n":8}');
  });

  it("is an error with the place of the test case whose maps break it", async () => {
    const place = placeOf();
    place.write(
      "policies/p.test.yaml",
      "- { blob: { name: a, data: x }, maps: { budgets: { db: { n: 0 } } }, expect: allow }\n",
    );
    const config = readConfig(place.config, "check");
    const error = await rejection(() => runTests(config, (probe) => TimedEngine.open(config, { probe })));
    expect(error).toMatchObject({ code: "MAP_INVALID" });
    expect(error.place).toMatch(/p\.test\.yaml:1:\d+: .*countersign\.yaml:\d+:\d+: map `budgets`$/);
  });

  it("begins with its file if entries that were kept break it", async () => {
    const engine = await engineOf(placeOf());
    const write = (key: string, value: string) => ({ attachment: "p", writes: [{ map: "budgets", key, value }] });
    engine.restore([write("blob", '{"n":5}'), write("db", '{"n":0}')]);
    expect(decide(engine, "blob").writes[0]?.value).toBe('{"n":1}');
    engine.restore([write("blob", '{"n":5}'), write("db", '{"n":1}')]);
    expect(decide(engine, "blob").writes[0]?.value).toBe('{"n":6}');
  });
});

describe("a log of decisions with schemas", () => {
  async function recorded(place: Workplace): Promise<readonly string[]> {
    const engine = await engineOf(place);
    for (const name of ["web", "blob", "blob", "other"]) decide(engine, name);
    engine.close();
    return readFileSync(place.at("decisions.jsonl"), "utf8").trimEnd().split("\n");
  }

  function replayed(lines: readonly string[], other: ReplayedConfiguration | null = null) {
    const reader = new RecordReader();
    const replay = new Replay(reader, other, null, null);
    const results = lines.flatMap((line) => {
      const read = reader.read(line);
      return read.record?.type === "decision" ? [replay.decide(read)] : [];
    });
    replay.close();
    return results.map(({ result, again }) => [result, again?.answers[0]?.verdict]);
  }

  it("is replayed the same", async () => {
    const same = [-22, 0, 0, -22].map((verdict) => ["same", verdict]);
    expect(replayed(await recorded(placeOf()))).toEqual(same);
  });

  it("is replayed by a schema that rejects more, and is unknown where one rejects less", async () => {
    const place = placeOf();
    const lines = await recorded(place);
    const by = (from: string, to: string) => {
      const text = readFileSync(place.config, "utf8").replace(from, to);
      return ReplayedConfiguration.fromFiles(parseConfig(place.config, text));
    };
    expect(replayed(lines, by("minimum: 1", "minimum: 1, maximum: 1")).map(([, verdict]) => verdict)).toEqual([
      ...[-22, 0, -22, -22],
    ]);
    const lessened = replayed(lines, by("web, db, blob", "web, db, blob, other"));
    expect(lessened.map(([result]) => result)).toEqual(["same", "same", "same", "unknown"]);
  });

  it("is damaged if a schema in it is none", async () => {
    const lines = await recorded(placeOf());
    const { content } = lines.map((line) => JSON.parse(line)).find(({ type }) => type === "configuration");
    const deep = JSON.parse(`${'{"items":'.repeat(2000)}{}${"}".repeat(2000)}`);
    const open = (schema: object) =>
      ReplayedConfiguration.recorded({ ...content, maps: { budgets: { ...content.maps.budgets, schema } } });
    expect(content.maps.budgets.schema.keys).toEqual({ enum: ["web", "db", "blob"] });
    open(content.maps.budgets.schema).close();
    for (const schema of [{ values: { minimum: "1" } }, { values: deep }, { keys: [] }, { other: 1 }])
      expect((await rejection(() => open(schema))).code, Object.keys(schema)[0]).toBe("LOG_DAMAGED");
  });
});
