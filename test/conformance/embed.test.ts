import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verdictName } from "../../src/errno.js";
import type { Decision } from "../../src/hooks/decision.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** A hook that only some tasks are denied at, and that every load of an object with maps asks. */
const NO_MAPS =
  'export const bpf_map_create = (_, current) => (current.container?.labels?.tier === "edge" ? -1 : 0);\n';

describe("examples/embed.mjs", () => {
  let folder: string;
  const node = (file: string, ...words: string[]) =>
    spawnSync(process.execPath, [join(root, file), ...words], { cwd: folder, encoding: "utf8" });
  const embed = (...words: string[]) => node("examples/embed.mjs", ...words);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    expect(node("bin/countersign.js", "init", "site").stderr).toBe("");
    folder = join(folder, "site");
    writeFileSync(join(folder, "policies/no-maps.js"), NO_MAPS);
    const config = join(folder, "countersign.yaml");
    // long limits of time: verdicts must not depend on how busy the machine is
    const attachments = "attachments:\n  - policy: policies/no-maps.js\n    limits: { timeout: 10s }\n";
    const text = readFileSync(config, "utf8").replace(/^attachments:\n/m, attachments);
    writeFileSync(config, text.replace("    mode: enforce", "    limits: { timeout: 10s }\n    mode: enforce"));
  });
  afterAll(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

  it.each([
    ["program.o", [], 0],
    ["unsigned.o", [], 1],
    ["program.o", ["tier=dev"], 0],
    ["program.o", ["tier=edge"], 1],
  ])("decides about %s, labels %j, as `countersign check` does", { tags: ["deep"] }, (object, labels, status) => {
    const ran = embed("countersign.yaml", object, ...labels);
    expect(ran.stderr).toBe("");
    const answer = node(
      "bin/countersign.js",
      "check",
      "--json",
      ...labels.flatMap((label) => ["--label", label]),
      object,
    );
    const decisions: Decision[] = JSON.parse(answer.stdout).decisions;
    expect(decisions.length).toBeGreaterThan(1);
    for (const { hook, subject, verdict, denied_by } of decisions) {
      const line = [hook, subject.name, verdictName(verdict), denied_by?.reason].filter(Boolean).join("  ");
      expect(ran.stdout.split("\n")).toContain(line);
    }
    expect(ran.status).toBe(status);
    expect(answer.status).toBe(status);
  });

  it.each([
    ["without an object", ["countersign.yaml"], "usage: "],
    ["without a configuration", ["missing.yaml", "program.o"], "FILE_UNREADABLE: "],
    ["for an object that is not there", ["countersign.yaml", "missing.o"], "FILE_UNREADABLE: "],
    ["for a file that is no code", ["countersign.yaml", "countersign.yaml"], "ELF_NO_PROGRAMS: "],
  ])("exits with 2 %s", (_, words, message) => {
    const { status, stdout, stderr } = embed(...words);
    expect(stderr).toContain(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });
});
