import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ACTION = join(root, "deploy/github-action");

const POLICY = `import { deny } from "countersign";
export const bpf_prog_load = (prog) => (prog.effects.sends_signal ? deny("sends signals") : 0);
`;
const POLICY_TEST = "- { file: ../good.bpf.o, expect: allow }\n";

/** A repository with a policy, its test, and an object that the policy allows. */
describe("what deploy/ has for CI", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-ci-"));
    mkdirSync(join(folder, "policies"));
    mkdirSync(join(folder, "bin"));
    symlinkSync(join(root, "bin/countersign.js"), join(folder, "bin/countersign"));
    writeFileSync(join(folder, "countersign.yaml"), "version: 1\nattachments: [{ policy: policies/site.js }]\n");
    writeFileSync(join(folder, "policies/site.js"), POLICY);
    writeFileSync(join(folder, "policies/site.test.yaml"), POLICY_TEST);
    object("drop-telnet", "good");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const object = (example: string, name: string) =>
    copyFileSync(join(root, "examples", `${example}.o`), join(folder, `${name}.bpf.o`));
  const environment = () => ({ ...process.env, PATH: `${join(folder, "bin")}:${process.env.PATH}` });
  const run = (program: string, words: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    spawnSync(program, words, { cwd: folder, encoding: "utf8", env: { ...environment(), ...env } });

  describe("the action", () => {
    const check = (objects: string) =>
      run("bash", [join(ACTION, "check.sh")], { CONFIG: "countersign.yaml", OBJECTS: objects });

    it("runs the tests, and passes where all objects are allowed", { tags: ["deep"] }, () => {
      const { status, stdout } = check("*.bpf.o");
      expect(stdout).toContain("1 passed, 0 failed");
      expect(stdout).toMatch(/good\.bpf\.o +drop_telnet +bpf_prog_load +allowed/);
      expect(status).toBe(0);
    });

    it("fails where an object is denied", { tags: ["deep"] }, () => {
      object("kill-writer", "bad");
      const { status, stdout } = check("good.bpf.o bad.bpf.o");
      expect(stdout).toContain("sends signals");
      expect(status).toBe(1);
    });

    it("fails where a test fails, and where a pattern has no file", { tags: ["deep"] }, () => {
      expect(check("*.elf")).toMatchObject({ status: 2, stderr: "no file matches `*.elf`\n" });
      writeFileSync(join(folder, "policies/site.test.yaml"), POLICY_TEST.replace("allow", "deny"));
      expect(check("*.bpf.o")).toMatchObject({ status: 1 });
    });

    it("starts that script with its inputs", () => {
      const { runs, inputs } = parse(readFileSync(join(ACTION, "action.yml"), "utf8"));
      const last = runs.steps.at(-1);
      expect(last.run).toMatch(/\/check\.sh$/);
      expect(Object.keys(inputs).map((name) => last.env[name.toUpperCase()])).toEqual(
        Object.keys(inputs).map((name) => `\${{ inputs.${name} }}`),
      );
    });
  });

  describe("the hook of git", () => {
    const git = (...words: string[]) =>
      execFileSync("git", words, { cwd: folder, encoding: "utf8", env: environment(), stdio: "pipe" });
    beforeEach((context) => {
      if (spawnSync("git", ["--version"]).status !== 0) context.skip("needs git");
      git("init", "--quiet");
      copyFileSync(join(root, "deploy/pre-commit"), join(folder, ".git/hooks/pre-commit"));
    });
    const commit = () =>
      run("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "objects"]);

    it("lets allowed objects be committed", { tags: ["deep"] }, () => {
      git("add", "good.bpf.o", "policies");
      expect(commit()).toMatchObject({ status: 0 });
    });

    it("decides about objects as they are in the commit, whatever the working tree has", { tags: ["deep"] }, () => {
      object("kill-writer", "changed");
      git("add", "changed.bpf.o");
      object("drop-telnet", "changed");
      const { status, stderr, stdout } = commit();
      expect(`${stdout}${stderr}`).toContain("sends signals");
      expect(status).not.toBe(0);
    });
  });
});
