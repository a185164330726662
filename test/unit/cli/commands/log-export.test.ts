import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Collector } from "../../../support/collector.js";
import { runCommand } from "../../../support/command-line.js";
import { recordedLines } from "../../../support/recorded-decisions.js";
import { until } from "../../../support/until.js";

const decision = (id: number, verdict = 0) =>
  `${JSON.stringify({
    ...{ level: "info", type: "decision", version: 2, time: "2026-01-31T12:00:00.000Z", id: `d${id}`, hook: "bpf_map" },
    ...{ verdict, enforced_verdict: verdict, denied_by: null, audit_denials: [], answers: [] },
  })}\n`;

let folder: string;
let log: string;
let collector: Collector;
const running: ChildProcess[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "cli-export-"));
  log = join(folder, "decisions.jsonl");
  collector = await Collector.open();
});
afterEach(async () => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
  vi.unstubAllEnvs();
  await collector.close();
  rmSync(folder, { recursive: true });
});

const address = () => `otlp=http://127.0.0.1:${collector.port}`;
const run = (...words: readonly string[]) => runCommand("log", "--export", address(), ...words);

function following(): { stop: (signal?: NodeJS.Signals) => Promise<number | null>; text: () => string } {
  const bin = new URL("../../../../bin/countersign.js", import.meta.url).pathname;
  const child = spawn(process.execPath, [bin, "log", "--follow", "--export", address(), log]);
  running.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      text += chunk;
    });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    stop: (signal = "SIGTERM") => {
      child.kill(signal);
      return ended;
    },
    text: () => text,
  };
}

describe("countersign log --export", () => {
  it("sends what is there, once, and prints no records", { tags: ["deep"] }, async () => {
    writeFileSync(`${log}.1`, decision(1));
    writeFileSync(log, decision(2) + decision(3, -1));
    expect(await run(log)).toEqual({ code: 0, out: "3 records exported\n", err: "" });
    expect([collector.ids, existsSync(`${log}.exported`)]).toEqual([["d1", "d2", "d3"], true]);
    expect(await run(log, "--json")).toMatchObject({ code: 0, out: expect.stringMatching(/"exported": ?0/) });
    const other = join(folder, "other");
    expect((await run("--denied", "--position", other, log)).code).toBe(0);
    expect([collector.ids, existsSync(other)]).toEqual([["d1", "d2", "d3", "d3"], true]);
  });

  it("sends decisions with all inputs as `log --json` writes them, and no definitions", {
    tags: ["deep"],
  }, async () => {
    writeFileSync(log, `${(await recordedLines("inputs")).join("\n")}\n`);
    const { out } = await runCommand("log", "--json", log);
    const shown = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ type }) => ["decision", "keyring", "throttle"].includes(type));
    expect((await run(log)).code).toBe(0);
    const bodies = collector.taken.map(({ body }) => JSON.parse((body as { stringValue: string }).stringValue));
    expect(bodies).toEqual(shown);
    expect(bodies.length).toBeGreaterThan(20);
  });

  it("compresses what it sends, by option or environment", async () => {
    writeFileSync(log, decision(1));
    const encoding = () => collector.received.at(-1)?.headers["content-encoding"];
    await run(log, "--compression", "gzip");
    expect([collector.ids, encoding()]).toEqual([["d1"], "gzip"]);
    vi.stubEnv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    await run(log, "--position", join(folder, "2"));
    expect(encoding()).toBe("gzip");
    await run(log, "--position", join(folder, "3"), "--compression", "none");
    expect(encoding()).toBeUndefined();
    vi.stubEnv("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "zip");
    const wrong = await run(log);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/LOGS_COMPRESSION.*\[USAGE\]/)]);
    expect((await runCommand("log", log, "--compression", "gzip")).err).toContain("--compression is for --export");
  });

  it("is one at a time for a position", { tags: ["deep"] }, async (context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    writeFileSync(log, decision(1));
    const first = following();
    await until(() => expect(collector.ids).toEqual(["d1"]));
    const second = await run(log);
    expect([second.code, second.out, second.err]).toEqual([2, "", expect.stringContaining("[EXPORT_RUNNING]")]);
    expect((await run(log, "--position", join(folder, "other"))).code).toBe(0);
    await first.stop("SIGKILL");
    expect((await run(log)).code).toBe(0);
  });

  it("sends the headers of the environment", async () => {
    writeFileSync(log, decision(1));
    vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x");
    await run(log);
    expect(collector.received[0]?.headers.authorization).toBe("Bearer x");
    vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "secret");
    const wrong = await run(log);
    expect([wrong.code, wrong.err.includes("[USAGE]"), wrong.err.includes("secret")]).toEqual([2, true, false]);
  });

  it("ends with 2 if the collector rejects the request, and keeps its position", async () => {
    writeFileSync(log, decision(1));
    collector.answers = [{ status: 401, body: "who are you?\u001b[31m" }];
    const { code, out, err } = await run(log);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(
      /127\.0\.0\.1:\d+\/v1\/logs: the collector .*HTTP 401.*\[EXPORT_FAILED\]; give the collector's/,
    );
    expect(err).not.toContain("\u001b[31m");
    expect((await run(log)).code).toBe(0);
    expect(collector.ids).toEqual(["d1"]);
  });

  it("ends with 2 if the collector rejects records", async () => {
    writeFileSync(log, decision(1));
    collector.answers = [{ status: 200, body: '{"partialSuccess":{"rejectedLogRecords":1,"errorMessage":"old"}}' }];
    const { code, out, err } = await run(log);
    expect([code, out]).toEqual([2, "0 records exported, 1 rejected\n"]);
    expect(err).toContain("[EXPORT_FAILED]");
  });

  it("is for one log and one collector", async () => {
    for (const words of [[log, log], ["-"]]) expect((await run(...words)).err).toContain("--export is for one file");
    expect((await runCommand("log", "--position", "p", log)).err).toContain("--position is for --export");
    const { code, err } = await runCommand("log", "--export", "http://localhost", log);
    expect([code, err.includes("otlp=http://localhost:4318")]).toEqual([2, true]);
  });
});

describe("countersign log --follow --export", () => {
  it("sends what is appended, over rotation and an outage, and goes on when it is started again", {
    tags: ["deep"],
  }, async () => {
    const first = following();
    writeFileSync(log, decision(1));
    await until(() => expect(collector.ids).toEqual(["d1"]));
    appendFileSync(log, decision(2));
    renameSync(log, `${log}.1`);
    writeFileSync(log, decision(3));
    await until(() => expect(collector.ids).toEqual(["d1", "d2", "d3"]));
    const { port } = collector;
    await collector.close();
    appendFileSync(log, decision(4));
    await until(() => expect(first.text()).toContain("[EXPORT_FAILED]"));
    collector = await Collector.open(port);
    await until(() => expect(collector.ids).toEqual(["d4"]));
    expect(await first.stop()).toBe(0);
    expect(first.text()).toContain("4 records exported");
    appendFileSync(log, decision(5));
    const second = following();
    await until(() => expect(collector.ids).toEqual(["d4", "d5"]));
    await second.stop("SIGINT");
  });

  it("stops while the collector is away, and sends the records when it is started again", {
    tags: ["deep"],
  }, async () => {
    writeFileSync(log, decision(1));
    collector.answers = Array.from({ length: 100 }, () => ({ status: 503 }));
    const first = following();
    await until(() => expect(first.text()).toContain("HTTP 503"));
    expect(await first.stop()).toBe(0);
    expect(existsSync(`${log}.exported`)).toBe(false);
    collector.answers = [];
    const second = following();
    await until(() => expect(collector.ids).toEqual(["d1"]));
    expect(await second.stop()).toBe(0);
    expect(JSON.parse(readFileSync(`${log}.exported`, "utf8")).files).toMatchObject([{ line: 1 }]);
  });

  it("loses nothing if it is killed again and again", { tags: ["deep"] }, async () => {
    const wanted: string[] = [];
    for (let round = 0; round < 4; round++) {
      const its = following();
      for (let number = 0; number < 50; number++) {
        wanted.push(`d${wanted.length}`);
        appendFileSync(log, decision(wanted.length - 1));
      }
      const least = wanted.length - 25;
      await until(() => expect(new Set(collector.ids).size).toBeGreaterThanOrEqual(least));
      await its.stop("SIGKILL");
      if (round % 2 === 0) renameSync(log, `${log}.${3 - round}`);
    }
    const last = following();
    await until(() => expect([...new Set(collector.ids)].sort()).toEqual([...wanted].sort()));
    await last.stop();
  });
});
