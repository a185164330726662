import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pattern, type Ran, stepsOf, walk } from "../../support/walkthrough.js";
import { needsGate } from "../gate/site.js";
import { built, cannotBuild, ROOT } from "./built.js";
import { Chroot } from "./chroot.js";

const PAGE = join(ROOT, "docs/rollout.md");

/** In a fresh Debian, in one shell from top to bottom, with the package in the folder where the reader starts. */
describe("docs/rollout.md", () => {
  const steps = stepsOf(PAGE);
  let made: Chroot | string;
  let folder: string;
  let ran: readonly Ran[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-deb-test-"));
    made = cannotBuild() ?? Chroot.make();
    if (typeof made === "string" || !existsSync("/proc/sys/kernel/seccomp/actions_avail")) return;
    made.bring(built(folder));
    ran = walk(steps, folder, process.env, made.words("sh"));
  });
  afterAll(() => {
    if (made instanceof Chroot) made.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach((context) => {
    if (typeof made === "string") context.skip(made);
    needsGate(context);
  });

  it("goes through all its sections", () => expect(steps.length).toBeGreaterThanOrEqual(18));

  it.each(steps.map((step, index) => [step.line, step.title, index] as const))(
    "line %i: %s",
    (_line, _title, index) => {
      const { shown, printed } = ran[index] as Ran;
      expect(`${printed.join("\n")}\n`).toMatch(pattern(shown ?? [""]));
    },
  );
});
