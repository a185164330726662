import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FLAGS } from "../../../../src/gate/run/jit-thresholds.js";

const source = new URL("../../../../src/", import.meta.url);

/** Flags of V8 that stand as literals in the source. */
const literal = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) =>
    Array.from(
      readFileSync(new URL(file, source), "utf8").matchAll(/setFlagsFromString\("([^"]+)"\)/g),
      ([, flag]) => flag!,
    ),
  );

describe("a flag that V8 is given", () => {
  it("is found in the source", () => {
    expect(literal).toContain("--liftoff-only");
  });

  it.each([...FLAGS, ...literal])("is known to this version: %s", (flag) => {
    const script = `require("node:v8").setFlagsFromString(${JSON.stringify(flag)})`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});
