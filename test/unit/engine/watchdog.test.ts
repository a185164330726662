import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type DecisionEngine, openEngine } from "../../../src/engine/watchdog.js";
import { ERRNO } from "../../../src/errno.js";
import type { BlobSubject } from "../../../src/hooks/subject.js";
import { task } from "../../task.js";

const COUNTS = `import { map_lookup, map_update } from "countersign";
export function blob_verify() {
  const n = map_lookup("state", "n") ?? 0;
  map_update("state", "n", n + 1);
  return -1 - n;
}`;
const STUCK = `export function blob_verify(blob) {
  if (blob.name === "stuck") Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
  return 0;
}`;

const READS = `import { map_lookup } from "countersign";
import { verdict } from "./verdict.js";
export const blob_verify = () => verdict + map_lookup("first", "n");`;

const FULL = Array(2).fill(String(-ERRNO.E2BIG));

/** A subject that cannot change, so that it crosses into the thread once. */
const blob = (name: string): BlobSubject =>
  Object.freeze({ name, digest: "d", data: Uint8Array.of(1), signature: null });

describe("an engine in a thread", () => {
  let folder: string;
  const opened: DecisionEngine[] = [];
  const ask = (name: string, more: object = {}) => ({
    hook: "blob_verify" as const,
    subject: blob(name),
    current: task(more),
  });
  const open = async (attachments: object[], config: object = {}) => {
    const file = join(folder, "countersign.yaml");
    const maps = { state: { writable: { entries: 4, bytes: 1000 } } };
    // only a policy with limits of its own may run out of time, on a busy machine too
    const patient = attachments.map((one) => ({ limits: { timeout: "10s" }, ...one }));
    const log = { file: "log.jsonl" };
    writeFileSync(file, stringify({ version: 1, maps, attachments: patient, log, ...config }));
    const engine = await openEngine(file);
    opened.push(engine);
    return engine;
  };
  // with fewer steps it would run out of those; in less time it would run out of time on a busy machine where it is
  // harmless
  const limits = { steps: 100_000_000, timeout: "500ms" };
  const STUCK_IN_AUDIT = { name: "stuck", policy: "policies/stuck.js", domain: "b", mode: "audit", limits };
  const openCountsAndStuck = () => open([{ policy: "policies/counts.js" }, STUCK_IN_AUDIT]);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    mkdirSync(join(folder, "policies"));
    writeFileSync(join(folder, "policies", "counts.js"), COUNTS);
    writeFileSync(join(folder, "policies", "stuck.js"), STUCK);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((engine) => engine.close()));
    rmSync(folder, { recursive: true });
  });

  it("judges certificates at the time of the request, although another thread repeats it", {
    tags: ["deep"],
  }, async () => {
    const own = await open([STUCK_IN_AUDIT]);
    const asked = own.decideAsync(ask("stuck"));
    const after = Date.now();
    const { answers, judged_time } = await asked;
    expect(answers.find(({ attachment }) => attachment === "stuck")?.fault?.code).toBe("OUT_OF_TIME");
    expect(judged_time).toBeLessThanOrEqual(after);
  });

  it("decides while the caller waits, and while it does not", { tags: ["deep"] }, async () => {
    const engine = await openCountsAndStuck();
    expect(engine.decide(ask("a")).verdict).toBe(-1);
    expect((await engine.decideAsync(ask("a"))).verdict).toBe(-2);
  });

  it("denies for a policy that does not return, and records the fault for that policy only", {
    tags: ["deep"],
  }, async () => {
    const engine = await openCountsAndStuck();
    await engine.prepared();
    expect(engine.decide(ask("a")).verdict).toBe(-1);
    const { verdict, answers, audit_denials } = engine.decide(ask("stuck"));
    // in audit it changes nothing, and all else is decided as ever
    expect(verdict).toBe(-2);
    expect(audit_denials.map(({ attachment, code }) => [attachment, code])).toEqual([["stuck", "OUT_OF_TIME"]]);
    expect(answers.map(({ attachment, fault }) => [attachment, fault?.code])).toEqual([
      ["counts", undefined],
      ["stuck", "OUT_OF_TIME"],
    ]);
    expect(answers[1]?.fault?.message).toContain("its thread was ended");
  });

  it("keeps each writer's entries, and its part of the map, in the thread that takes over", {
    tags: ["deep"],
  }, async () => {
    const fills = (prefix: string) => `import { map_update, note } from "countersign";
      export const blob_verify = (blob) => {
        if (blob.name !== "stuck") note(String(map_update("state", "${prefix}" + blob.name, 1)));
        return 0;
      };`;
    for (const name of ["one", "two"]) writeFileSync(join(folder, "policies", `${name}.js`), fills(name));
    const maps = { state: { writable: { entries: 4, bytes: 1000 }, writers: ["one", "other"] } };
    const both = await open(
      [{ policy: "policies/one.js", domain: "own" }, { policy: "policies/two.js", domain: "other" }, STUCK_IN_AUDIT],
      { maps },
    );
    const notes = (name: string) =>
      both
        .decide(ask(name))
        .answers.slice(0, 2)
        .map((answer) => answer.notes[0]);
    expect([notes("a"), notes("b"), notes("c")]).toEqual([["0", "0"], ["0", "0"], FULL]);
    expect(both.decide(ask("stuck")).answers[2]?.fault?.code).toBe("OUT_OF_TIME");
    expect([notes("a"), notes("c")]).toEqual([["0", "0"], FULL]);
  });

  it("keeps every committed map write when its thread is replaced, and repeats the decision in progress", {
    tags: ["deep"],
  }, async () => {
    const engine = await openCountsAndStuck();
    await engine.prepared();
    const names = ["a", "stuck", "b", "c"];
    const verdicts = await Promise.all(
      names.map((name) => engine.decideAsync(ask(name)).then(({ verdict }) => verdict)),
    );
    expect(verdicts).toEqual([-1, -2, -3, -4]);
  });

  it("takes an attachment out that had two threads ended, and says so in the log", { tags: ["deep"] }, async () => {
    const engine = await openCountsAndStuck();
    for (let ended = 0; ended < 2; ended++) {
      await engine.prepared();
      expect(engine.decide(ask("stuck")).answers[1]?.fault?.code).toBe("OUT_OF_TIME");
    }
    const { verdict, answers } = engine.decide(ask("harmless"));
    // the map writes that both threads committed were kept
    expect(verdict).toBe(-3);
    expect(answers[1]?.fault).toMatchObject({ code: "SUSPENDED", message: expect.stringContaining("2 times") });
    const last = readFileSync(join(folder, "log.jsonl"), "utf8").trim().split("\n").at(-1) ?? "";
    expect(JSON.parse(last).answers[1].fault.code).toBe("SUSPENDED");
  });

  it("uses the files as they were when it was opened, even if they changed since", { tags: ["deep"] }, async () => {
    const files = {
      "policies/reads.js": READS,
      "policies/verdict.js": "export const verdict = -7;",
      "first.json": '{"n":-1}',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const maps = { first: { file: "first.json" }, state: { writable: { entries: 4, bytes: 1000 } } };
    const other = await open([{ policy: "policies/reads.js" }, STUCK_IN_AUDIT], { maps });
    for (const name of Object.keys(files)) rmSync(join(folder, name));
    const reads = (name: string) => other.decide(ask(name)).answers[0];
    expect(reads("a")).toMatchObject({ verdict: -8, fault: null });
    expect(other.decide(ask("stuck")).answers[1]?.fault?.code).toBe("OUT_OF_TIME");
    await other.prepared();
    expect(reads("a")).toMatchObject({ verdict: -8, fault: null });
  });

  it("refuses to start as the configuration does, with the place", { tags: ["deep"] }, async () => {
    const broken = open([{ policy: "policies/none.js" }]);
    await expect(broken).rejects.toMatchObject({ code: "FILE_UNREADABLE", place: expect.stringContaining("none.js") });
  });

  it("says why it did not start to a caller that was busy until its thread had ended, too", {
    tags: ["deep"],
  }, async () => {
    const broken = open([{ policy: "policies/none.js" }]);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
    await expect(broken).rejects.toMatchObject({ code: "FILE_UNREADABLE", place: expect.stringContaining("none.js") });
  });

  it("rejects requests after it was closed", { tags: ["deep"] }, async () => {
    const other = await open([{ policy: "policies/counts.js" }]);
    await other.close();
    await other.close();
    expect(() => other.decide(ask("a"))).toThrow(expect.objectContaining({ code: "ENGINE_CLOSED" }));
    await expect(other.decideAsync(ask("a"))).rejects.toMatchObject({ code: "ENGINE_CLOSED" });
  });
});
