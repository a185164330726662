import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";

describe("the bundle of the commands", () => {
  it("is compiled from the code cache that its build left", () => {
    const script = `require(${JSON.stringify(own("bin/load.js"))}).command((script) => console.log(script.cachedDataRejected))`;
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "false\n", stderr: "" });
  });

  it("says what to do where it has not been built", () => {
    const script = `const fs = require("node:fs"); fs.existsSync = () => false; require(${JSON.stringify(own("bin/countersign.js"))})`;
    const { status, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: "countersign: dist/command.cjs is missing; run `npm run build`\n",
    });
  });
});
