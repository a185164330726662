import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { until } from "../../support/until.js";
import { own } from "../../support/workplace.js";

const CACHES = ["command", "gate", "kernel", "thread"];

describe("the first command of an installation without V8's code caches", () => {
  let installation: string;
  const caches = () =>
    readdirSync(join(installation, "dist"))
      .filter((name) => name.endsWith(".cache"))
      .map((name) => name.split(".")[0])
      .sort();
  const lock = () => join(installation, "dist/.code-caches");
  const run = (...words: string[]) =>
    spawnSync(process.execPath, [join(installation, "bin/countersign.js"), ...words], { encoding: "utf8" });

  beforeEach(() => {
    installation = mkdtempSync(join(tmpdir(), "countersign-installed-"));
    for (const name of ["bin", "dist", "examples", "package.json"])
      cpSync(own(name), join(installation, name), {
        recursive: true,
        filter: (path) => !path.endsWith(".cache") && !path.includes("dist/types") && !path.includes("dist/.new"),
      });
    for (const name of ["node_modules", "policies", "types"]) symlinkSync(own(name), join(installation, name));
  });

  it("has them made after it has ended, and the next one starts from them", { tags: ["deep"] }, async () => {
    expect(run("--version")).toMatchObject({ status: 0, stderr: "" });
    await until(() =>
      expect({ caches: caches(), locked: existsSync(lock()) }).toEqual({ caches: CACHES, locked: false }),
    );
    const script = `require("./bin/load.js").command("check", (script) => console.log(script.cachedDataRejected))`;
    const { stdout } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8", cwd: installation });
    expect(stdout).toBe("false\n");
    const made = statSync(join(installation, "dist")).mtimeMs;
    expect(run("--version").status).toBe(0);
    expect(statSync(join(installation, "dist")).mtimeMs, "the second command writes nothing").toBe(made);
  });

  it("gets none for a bundle that is replaced while its cache is made: V8 compares only lengths", () => {
    const bundle = join(installation, "dist/kernel.cjs");
    const hook = join(installation, "hook.cjs");
    const replace = `fs.writeFileSync(${JSON.stringify(bundle)}, fs.readFileSync(${JSON.stringify(bundle)}, "utf8").replace(/\\n$/, " "));`;
    writeFileSync(
      hook,
      `const fs = require("node:fs"); const make = fs.mkdtempSync;
fs.mkdtempSync = (...words) => { ${replace} return make(...words); }; require("node:module").syncBuiltinESMExports();`,
    );
    const make = (...options: string[]) =>
      spawnSync(process.execPath, [...options, join(installation, "bin/code-cache.mjs"), "kernel"]).status;
    expect([make("--require", hook), caches()]).toEqual([0, []]);
    expect([make(), caches()]).toEqual([0, ["kernel"]]);
  });

  it("leaves them to whoever makes them already", { tags: ["deep"] }, () => {
    writeFileSync(lock(), "");
    expect(run("--version")).toMatchObject({ status: 0, stderr: "" });
    expect(caches()).toEqual([]);
    expect(existsSync(lock())).toBe(true);
  });

  it("makes none if it is `run`, which starts no process but its command's", { tags: ["deep"] }, () => {
    expect(run("run", "--config", join(installation, "none.yaml"), "--", "true").status).toBe(2);
    expect({ caches: caches(), locked: existsSync(lock()) }).toEqual({ caches: [], locked: false });
  });
});
