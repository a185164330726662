import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const LEFT_BEHIND = new Set([".git", "node_modules", "dist"].map((name) => join(root, name)));

/** As whoever types `npm install countersign` in an empty directory has it. */
describe("the package", () => {
  let folder: string;
  let home: string;
  const run = (command: string, ...words: string[]) => execFileSync(command, words, { cwd: home, encoding: "utf8" });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    home = join(folder, "source");
    cpSync(root, home, { recursive: true, filter: (path) => !LEFT_BEHIND.has(path) });
    symlinkSync(join(root, "node_modules"), join(home, "node_modules"));
    run(process.execPath, "scripts/build.mjs");
    run("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder);
    const [archive] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
    home = join(folder, "empty");
    mkdirSync(home);
    writeFileSync(join(home, "package.json"), '{ "private": true, "type": "module" }');
    run("npm", "install", "--silent", "--ignore-scripts", "--prefer-offline", join(folder, archive as string));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("has the command", () => {
    expect(run("npx", "countersign", "--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("installs the dependencies of package.json and what these need, nothing that is in the bundle", () => {
    const named = JSON.parse(run("npm", "ls", "--all", "--json")).dependencies.countersign.dependencies;
    // typescript, the optional peer, is named and not installed
    const installed = Object.fromEntries(Object.entries<object>(named).filter(([, one]) => "version" in one));
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(Object.keys(installed).sort()).toEqual(Object.keys(dependencies).sort());
    const folders = readdirSync(join(home, "node_modules")).filter((name) => !name.startsWith("."));
    expect(folders.sort()).toEqual(["@jitl", "@koromix", "countersign", "koffi"]);
  });

  it("can make a working directory, decide in it and run its tests", () => {
    run("npx", "countersign", "init", "site");
    const config = ["--config", "site/countersign.yaml"];
    expect(run("npx", "countersign", "check", ...config, "site/program.o")).toContain("allowed");
    expect(run("npx", "countersign", "test", ...config)).toContain("3 passed, 0 failed");
  });

  it("decides by a policy in TypeScript", () => {
    writeFileSync(join(home, "typed.ts"), "export const bpf_prog_load = (prog: { insn_cnt: number }): number => 0;\n");
    writeFileSync(join(home, "typed.yaml"), "version: 1\nattachments: [{ policy: typed.ts }]\n");
    expect(run("npx", "countersign", "check", "--config", "typed.yaml", "site/program.o")).toContain("allowed");
  });

  it("gives a program its engine and types, and a policy its own", () => {
    writeFileSync(
      join(home, "use.mts"),
      `import { type Current, openEngine, verdictName } from "countersign";
       import type { Program } from "countersign/policy";
       export const policy = (prog: Program): number => (prog.effects.read_only ? 0 : -1);
       const current: Current = { pid: 1, tid: 1, uid: 0, euid: 0, gid: 0, comm: "", exe: null, cgroup: null,
         capabilities: [], namespaces: {}, container: null };
       const engine = await openEngine("site/countersign.yaml");
       const subject = { name: "blob", digest: "", data: new Uint8Array(1), signature: null };
       console.log(verdictName((await engine.decideAsync({ hook: "blob_verify", subject, current })).verdict));
       await engine.close();`,
    );
    const options = ["--strict", "--module", "nodenext", "--target", "es2023", "--types", "node"];
    const roots = ["--typeRoots", join(root, "node_modules/@types")];
    run(process.execPath, join(root, "node_modules/typescript/bin/tsc"), ...options, ...roots, "use.mts");
    expect(run(process.execPath, "use.mjs")).toBe("0\n");
  });
});
