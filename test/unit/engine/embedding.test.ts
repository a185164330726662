import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const INDEX = new URL("../../../dist/index.js", import.meta.url).href;

/** Opens an engine, and prints the verdicts of a decision that blocks and of one that does not. */
const PROGRAM = `import { openEngine } from ${JSON.stringify(INDEX)};
const engine = await openEngine("countersign.yaml");
const current = { pid: 1, tid: 1, uid: 0, euid: 0, gid: 0, comm: "x", exe: null, cgroup: "/", capabilities: [], namespaces: {}, container: null };
const subject = { name: "blob", digest: "d", data: Uint8Array.of(1), signature: null };
const request = { hook: "blob_verify", subject, current };
console.log(engine.decide(request).verdict, (await engine.decideAsync(request)).verdict);
await engine.close();`;

describe("an engine opens in a program that node runs", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    writeFileSync(join(folder, "policy.js"), "export const blob_verify = () => -13;");
    writeFileSync(
      join(folder, "countersign.yaml"),
      "version: 1\nattachments: [{ policy: policy.js, limits: { timeout: 10s } }]\n",
    );
    writeFileSync(join(folder, "program.mjs"), PROGRAM);
    writeFileSync(join(folder, "empty.cjs"), "");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const opens = (_: string, words: readonly string[]) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, words, { cwd: folder, encoding: "utf8" });
    expect({ stdout, stderr, status }).toEqual({ stdout: "-13 -13\n", stderr: "", status: 0 });
  };

  it.each([["as a file", ["program.mjs"]]])("%s", opens);

  it.each([
    ["as a module given as text", ["--input-type=module", "-e", PROGRAM]],
    [
      "as a module given as text, whose value is printed",
      ["--input-type=module", "--eval", PROGRAM, "--", "an argument"],
    ],
    ["after a file that it requires", ["--require", "./empty.cjs", "program.mjs"]],
    ["with a condition and a title", ["--conditions=x", "--title=x", "program.mjs"]],
    ["with a heap limit and a stack size", ["--max-old-space-size=256", "--stack-size=900", "program.mjs"]],
  ])("%s", { tags: ["deep"] }, opens);
});
