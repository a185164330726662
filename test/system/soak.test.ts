import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";
import { amount } from "./nightly.js";

const DECISIONS = Number(process.env.SOAK ?? amount(50_000, 1_000_000));
const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * One of each kind of question that the policies that ship can be asked, over and over, with a hostile neighbour among
 * them.
 */
describe(`${DECISIONS} decisions by the policies that ship with a hostile neighbour`, () => {
  it("lose nothing, get nothing wrong, and keep to their memory", { timeout: 900_000 }, () => {
    // where the packages and the files of the bundle are found
    const folder = mkdtempSync(join(root, "dist", ".soak-"));
    const outfile = join(folder, "soaking.mjs");
    const require =
      'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';
    buildSync({
      entryPoints: [join(root, "test/support/soaking.ts")],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      banner: { js: require },
    });
    // the nursery has its full size from the start: V8 would let it grow with use, whatever is kept
    const args = ["--expose-gc", "--min-semi-space-size=16", outfile, join(root, "policies"), String(DECISIONS)];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 900_000 });
    rmSync(folder, { recursive: true });
    expect(stderr).toBe("");
    const { wrong, policies, answers, after10k, after } = JSON.parse(stdout);
    expect(wrong).toBe(0);
    expect(policies).toBeGreaterThanOrEqual(10);
    const faults = ["OUT_OF_STEPS", "OUT_OF_MEMORY", "OUT_OF_STACK", "POLICY_ERROR"];
    for (const fault of faults) expect(answers.some((answer: string) => answer.includes(fault))).toBe(true);
    expect(answers.some((answer: string) => answer.startsWith("0 undefined"))).toBe(true);
    // subjects that lack a fact would have a policy fail instead of decide
    expect(answers.filter((answer: string) => answer.includes("UNKNOWN_FACT"))).toEqual([]);
    expect(after, "bytes").toBeLessThan(after10k * 1.2);
  });
});
