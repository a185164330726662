import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Config, readConfig } from "../../../../src/config/config.js";
import { ERRNO } from "../../../../src/errno.js";
import type { CountersignError } from "../../../../src/error.js";
import { RESTRICTIONS } from "../../../../src/gate/run/restrictions.js";
import { runCommand } from "../../../../src/gate/run/run.js";
import { NR } from "../../../../src/sys/numbers.js";
import { filteredProcess, programFile } from "../../../support/filtered-process.js";

// the real one would take the test runner's own channel for an inherited fd, and close it
vi.mock("../../../../src/gate/run/inheritance.js", () => ({
  inheritance: () => ({ openFiles: 0, fds: [], environment: [Buffer.from("PATH=/usr/bin:/bin")] }),
}));

const DENIES = `import { deny } from "countersign"; export const bpf = ({ name }) => deny(\`no \${name}\`, 13);`;
/** bpf(2) without an attr, which loads nothing: BPF_MAP_LOOKUP_ELEM. */
const LOOKUP = [NR.bpf, 1, 0, 0] as const;

describe("a command behind a gate, in a dry run", () => {
  let folder: string;
  let said: CountersignError[];
  beforeEach(async (context) => {
    await filteredProcess(context, ["true"]); // skips where there can be no gate
    folder = mkdtempSync(join(tmpdir(), "countersign-run-"));
    said = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const configOf = (policy: string, more = {}): Config => {
    writeFileSync(join(folder, "policy.js"), policy);
    const config = { version: 1, mode: "audit", attachments: [{ policy: "policy.js" }], ...more };
    writeFileSync(join(folder, "countersign.yaml"), JSON.stringify(config));
    return readConfig(join(folder, "countersign.yaml"), "run");
  };
  const run = (config: Config, ...words: readonly string[]) =>
    runCommand({
      ...{ config, command: words.map((word) => Buffer.from(word)), warn: () => undefined },
      say: (error) => said.push(error),
    });

  it("ends as the command does, with its denials and what still restricts it", { tags: ["deep"] }, async () => {
    const config = configOf(DENIES, { log: { file: "decisions.jsonl" } });
    const { ending, mode, counts, denials, restrictions } = await run(config, programFile(LOOKUP, LOOKUP));
    expect(ending.code).not.toBe(ERRNO.EACCES); // the kernel has executed the call
    expect(mode).toBe("audit");
    expect(counts).toMatchObject({ denied: 2, allowed: 0, faults: 0 });
    expect(denials).toMatchObject([{ hook: "bpf", reason: "policy: no BPF_MAP_LOOKUP_ELEM", outcome: "dry run" }]);
    expect(restrictions).toBeGreaterThan(0);
    expect(restrictions).toBeLessThan(RESTRICTIONS.length);
    const log = readFileSync(join(folder, "decisions.jsonl"), "utf8").trimEnd().split("\n");
    expect(log.map((line) => JSON.parse(line))).toMatchObject([{ origin: "run" }, { origin: "run" }]);
    expect(said).toEqual([]);
  });

  it("is not asked about map elements if nothing decides on them", { tags: ["deep"] }, async () => {
    const config = configOf(`export const bpf_prog_load = () => 0;`);
    const { counts } = await run(config, programFile(LOOKUP));
    expect(counts).toMatchObject({ denied: 0, allowed: 0 });
  });

  it("ends by the command's signal", { tags: ["deep"] }, async () => {
    const { ending } = await run(configOf(DENIES), "sh", "-c", "kill -KILL $$");
    expect(ending).toEqual({ code: null, signal: "SIGKILL" });
  });

  it("does not start if its policies cannot be used", { tags: ["deep"] }, async () => {
    const started = join(folder, "started");
    await expect(run(configOf("export const bpf = ("), "touch", started)).rejects.toMatchObject({
      code: "POLICY_SYNTAX",
    });
    expect(() => readFileSync(started)).toThrow("ENOENT");
  });

  it("says once that decisions cannot be logged", { tags: ["deep"] }, async () => {
    const { counts } = await run(configOf(DENIES, { log: { file: "/dev/full" } }), programFile(LOOKUP, LOOKUP));
    expect(said.map(({ code, message }) => [code, message])).toEqual([
      ["FILE_UNREADABLE", expect.stringContaining("decisions cannot be logged")],
    ]);
    expect(counts).toMatchObject({ logFailures: 2 });
  });
});
