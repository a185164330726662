import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { recordedCheck } from "../../../../src/cli/input/recorded-check.js";
import { own, Workplace } from "../../../support/workplace.js";
import { task } from "../../../task.js";

let place: Workplace;
let temporary: string;
beforeEach(() => {
  place = new Workplace("  - { policy: policies/no-kernel-read.js, limits: { timeout: 5s } }\n");
  place.policy("no-kernel-read.js");
  temporary = mkdtempSync(join(tmpdir(), "countersign-"));
  vi.stubEnv("TMPDIR", temporary);
});
afterEach(() => vi.unstubAllEnvs());

const check = async (...files: readonly string[]) => {
  const failed: (readonly [file: string, code: string])[] = [];
  const request = { current: task({}) };
  const checked = await recordedCheck(files, place.config, request, null, (file, { code }) =>
    failed.push([file, code]),
  );
  return { checked, failed };
};

describe("a check that is recorded", () => {
  it("has each decision about each file with all inputs, in their order, and leaves no file", async () => {
    const [peek, drop] = [own("examples/peek-tc.o"), own("examples/drop-telnet.o")];
    const { checked, failed } = await check(drop, peek);
    expect(failed).toEqual([]);
    expect(checked.map(({ file }) => file)).toEqual([drop, peek]);
    expect(checked.map(({ line }) => (line.record?.enforced_verdict ?? 0) < 0)).toEqual([false, true]);
    for (const { line, reader } of checked) {
      expect([line.damage, line.inputs === null]).toEqual([null, false]);
      expect(reader.definition("configuration", line.inputs!.configuration)).not.toBeNull();
    }
    expect(readdirSync(temporary)).toEqual([]);
  });

  it("goes on after a file that cannot be decided about", async () => {
    const broken = join(temporary, "broken.o");
    writeFileSync(broken, "\u007fELF");
    const { checked, failed } = await check(broken, join(temporary, "none.o"), own("examples/peek-tc.o"));
    expect(checked).toHaveLength(1);
    expect(failed).toEqual([
      [broken, expect.stringMatching(/^ELF_/)],
      [join(temporary, "none.o"), "FILE_UNREADABLE"],
    ]);
    expect(readdirSync(temporary)).toEqual(["broken.o"]);
  });

  it("leaves no file if the configuration cannot be used", async () => {
    writeFileSync(place.config, "version: 7\n");
    await expect(check(own("examples/peek-tc.o"))).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(readdirSync(temporary)).toEqual([]);
  });
});
