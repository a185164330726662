import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../../src/cli/commands.js";
import { own } from "../../support/workplace.js";

const { cacheOf } = createRequire(import.meta.url)("../../../bin/load.js") as { cacheOf(name: string): string };

describe("the bundle of the commands", () => {
  // as a build does; the one that there is may be another version of node's
  beforeAll(() => {
    for (const bundle of ["command", "gate", "kernel"])
      if (!existsSync(cacheOf(bundle))) spawnSync(process.execPath, [own("bin/code-cache.mjs"), bundle]);
  });

  it.each(["check", "run", "resolve"])("that has `%s` is compiled from the code cache that its build left", (name) => {
    const script = `require(${JSON.stringify(own("bin/load.js"))}).command("${name}", (script) => console.log(script.cachedDataRejected))`;
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "false\n", stderr: "" });
  });

  it("says what to do where it has not been built", () => {
    const script = `const fs = require("node:fs"); fs.existsSync = () => false; require(${JSON.stringify(own("bin/countersign.js"))})`;
    const { status, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: "countersign: dist/ is missing; run `npm run build`\n",
    });
  });

  it.each(Object.keys(COMMANDS))("that `%s` comes from has that command", (name) => {
    const { status, stdout } = spawnSync(process.execPath, [own("bin/countersign.js"), name, "--help"], {
      encoding: "utf8",
    });
    expect({ status, usage: stdout.split("\n")[0] }).toEqual({
      status: 0,
      usage: expect.stringContaining(`countersign ${name} `),
    });
  });
});
