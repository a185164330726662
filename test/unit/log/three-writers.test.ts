import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { RecordReader } from "../../../src/log/record-reader.js";
import { own, Workplace } from "../../support/workplace.js";

const OBJECTS = ["xdp-steer.o", "peek-tc.o"].map((name) => own(`examples/${name}`));
const ROUNDS = 60;

/** Records decisions with `check --log` in a process of its own; gives its exit code and its standard error. */
function check(config: string): Promise<readonly [number | null, string]> {
  const files = Array.from({ length: ROUNDS }, () => OBJECTS).flat();
  const process_ = spawn(process.execPath, [own("bin/countersign.js"), "check", "--config", config, ...files, "--log"]);
  let err = "";
  process_.stdout.resume();
  process_.stderr.on("data", (text) => {
    err += text;
  });
  return new Promise((resolve) => process_.once("close", (code) => resolve([code, err])));
}

describe("three processes that write one log", () => {
  it("lose nothing, and each rotated file can be read alone", { tags: ["deep"] }, async () => {
    const place = new Workplace(
      "  - { policy: allow.js, limits: { timeout: 10s } }\n",
      "log: { file: decisions.jsonl, level: inputs, rotate: 64KiB, keep: 1000 }",
    );
    place.write("allow.js", "export const bpf_prog_load = (prog, current) => current.uid === 0 ? 0 : -1;");
    const log = place.at("decisions.jsonl");
    const codes = await Promise.all([1, 2, 3].map(() => check(place.config)));
    expect(codes).toEqual(codes.map(() => [0, ""]));
    const files = [log];
    for (let number = 1; existsSync(`${log}.${number}`); number++) files.push(`${log}.${number}`);
    const writers = new Set<unknown>();
    const ids = new Set<unknown>();
    let decisions = 0;
    for (const file of files) {
      const reader = new RecordReader();
      for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
        // a writer that reads the file while another one writes can take that line for an incomplete one, and end it
        if (line === "") continue;
        const { record, damage } = reader.read(line);
        expect(damage, `${file}: ${line}`).toBeNull();
        if (record?.type === "start") writers.add((record as { writer?: unknown }).writer);
        if (record?.type !== "decision") continue;
        decisions += 1;
        ids.add(record.id);
      }
    }
    expect(writers.size).toBe(3);
    expect(files.length).toBeGreaterThan(3);
    expect(decisions % (3 * ROUNDS)).toBe(0);
    expect([ids.size, decisions]).toEqual([decisions, decisions]);
    expect(decisions).toBeGreaterThanOrEqual(3 * ROUNDS * OBJECTS.length);
  });
});
