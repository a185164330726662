import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const project = fileURLToPath(new URL("../../..", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "countersign-modules-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("scripts/evaluated-modules.mjs", () => {
  it("fails for each command that evaluates more modules, at its start or by what it imports", {
    tags: ["deep"],
  }, () => {
    cpSync(join(project, "src"), join(root, "src"), { recursive: true });
    for (const name of ["package.json", "node_modules"]) symlinkSync(join(project, name), join(root, name));
    // `log` imports one that nothing else here does, and `verify` at its start what it imports later
    const add = (command: string, line: string) => {
      const file = join(root, "src/cli/commands", command);
      writeFileSync(file, `${line}\n${readFileSync(file, "utf8")}`);
    };
    writeFileSync(join(root, "src/planted.ts"), "export const planted = 1;\n");
    add("log.ts", 'import { planted } from "../../planted.js"; console.assert(planted);');
    add("verify.ts", 'import "../../bpf/statement.js";');
    const script = join(project, "scripts/evaluated-modules.mjs");
    const { status, stdout } = spawnSync(process.execPath, [script, "--root", root], { encoding: "utf8" });
    const words = Array.from(stdout.matchAll(/^(.+?) +(\d+) modules, at most (\d+)(: import less)?/gm));
    expect(words.map(([, command, , , more]) => [command, more !== undefined])).toEqual([
      ["check", false],
      ["log", true],
      ["run", false],
      ["verify", true],
      ["prove --help", false],
    ]);
    const [, , log, most] = words[1]!;
    expect(Number(log)).toBe(Number(most) + 1);
    expect(status).toBe(1);
  });
});
