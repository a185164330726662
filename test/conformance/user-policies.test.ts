// @module-tag deep
import { copyFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCommand } from "../support/command-line.js";
import { own } from "../support/workplace.js";

/**
 * `user-policies` has policies as users write them, each with its configuration, maps, keyrings and tests.
 * `planted-faults` has pairs of configurations, `right.yaml` and `faulty.yaml`, that differ in one mistake which the
 * author's tests do not notice; `witness.yaml` has a case that does. A README beside each says what the author means.
 */
const fixtures = fileURLToPath(new URL("fixtures/", import.meta.url));
const foldersOf = (kind: string): string[] => readdirSync(join(fixtures, kind));
const users = foldersOf("user-policies");
const faults = foldersOf("planted-faults");

/** What `countersign test --json` prints, as far as it is read here. */
interface TestOutput {
  readonly cases: readonly { readonly passed: boolean; readonly attachment: string }[];
  readonly untested: readonly unknown[];
}

async function runTests(config: string): Promise<{ code: number; failed: unknown[]; passed: number }> {
  const { code, out, err } = await runCommand("test", "--json", "--config", config);
  if (out === "") throw new Error(err);
  const { cases } = JSON.parse(out) as TestOutput;
  const failed = cases.filter(({ passed }) => !passed);
  return { code, failed, passed: cases.length - failed.length };
}

const lint = (config: string) => runCommand("lint", config);
const CLEAN = { code: 0, out: expect.stringMatching(/^\d+ files? checked, nothing found\n$/), err: "" };

describe("policies of users", () => {
  it("are of many kinds", () => {
    expect(users.length).toBeGreaterThanOrEqual(30);
  });

  it.each(users)("%s: lint finds nothing, and its tests pass", async (user) => {
    const folder = join(fixtures, "user-policies", user);
    const config = join(folder, "countersign.yaml");
    expect(readFileSync(join(folder, "README.md"), "utf8")).toMatch(new RegExp(`^# ${user}\n\nWritten `));
    expect(await lint(config)).toEqual(CLEAN);
    const { passed, ...result } = await runTests(config);
    expect(result).toEqual({ code: 0, failed: [] });
    expect(passed).toBeGreaterThanOrEqual(2);
  });
});

describe("planted faults", () => {
  it("are of ten kinds", () => {
    expect(faults.length).toBe(10);
  });

  it.each(faults)("%s: neither lint nor the author's tests find it", async (fault) => {
    const folder = join(fixtures, "planted-faults", fault);
    expect(readFileSync(join(folder, "README.md"), "utf8")).toMatch(/\n\nProperty: [\s\S]*?\n\nFault of `faulty\./);
    for (const name of ["right.yaml", "faulty.yaml"]) {
      expect(await lint(join(folder, name)), name).toEqual(CLEAN);
      expect(await runTests(join(folder, name)), name).toMatchObject({ code: 0, failed: [] });
    }
  });

  it.each(faults.filter((fault) => existsSync(join(fixtures, "planted-faults", fault, "witness.yaml"))))(
    "%s: a case tells the faulty policy from the right one",
    async (fault) => {
      const folder = mkdtempSync(join(tmpdir(), "countersign-fault-"));
      cpSync(join(fixtures, "planted-faults", fault), folder, { recursive: true });
      for (const side of ["right", "faulty"])
        copyFileSync(join(folder, "witness.yaml"), join(folder, `${side}.test.yaml`));
      expect(await runTests(join(folder, "right.yaml"))).toMatchObject({ code: 0, failed: [] });
      expect(await runTests(join(folder, "faulty.yaml"))).toMatchObject({ code: 1, passed: 0 });
    },
  );

  it("audit-for-enforce: a decision tells the faulty configuration from the right one", async () => {
    const check = (name: string) =>
      runCommand(
        "check",
        "--config",
        join(fixtures, "planted-faults/audit-for-enforce", name),
        own("examples/kill-writer.o"),
      );
    expect(await check("right.yaml")).toMatchObject({ code: 1, out: expect.stringContaining("sends signals") });
    expect(await check("faulty.yaml")).toMatchObject({ code: 0 });
  });
});
