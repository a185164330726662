import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pattern, type Ran, stepsOf, walk } from "../../support/walkthrough.js";
import { own } from "../../support/workplace.js";
import { BIN, mountTracefs, needsGate, needsTracefs } from "./site.js";

/** What the page types in, typed in. */
describe("docs/tracing.md", () => {
  const steps = stepsOf(own("docs/tracing.md"));
  let folder: string;
  let skipReason: string | null;
  let ran: Ran[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tracing-"));
    mkdirSync(join(folder, "bin"));
    symlinkSync(BIN, join(folder, "bin/countersign"));
    symlinkSync(own("policies"), join(folder, "policies"));
    mountTracefs();
    const script = [own("scripts/bpftrace.mjs"), join(folder, "bin")];
    const found = spawnSync(process.execPath, script, { encoding: "utf8" });
    skipReason = found.status === 0 ? null : found.stdout.trim();
    const { FORCE_COLOR: _, ...env } = process.env;
    const path = `${join(folder, "bin")}:${dirname(found.stdout.trim())}:${process.env.PATH}`;
    ran = skipReason === null ? walk(steps, folder, { ...env, PATH: path }) : [];
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach((context) => {
    needsGate(context);
    if (skipReason !== null) context.skip(skipReason);
    needsTracefs(context);
  });

  it("has five steps", () => expect(steps.length).toBe(5));

  it.each(steps.map((step, index) => [step.line, step.title, index] as const))("line %i: %s", (_, __, index) => {
    const { shown, printed } = ran[index] as Ran;
    expect(`${printed.join("\n")}\n`).toMatch(pattern(shown ?? [""]));
  });
});
