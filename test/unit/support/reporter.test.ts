import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** What vitest answers to a file of tests: its exit status, and what the reporter printed. */
function run(text: string, options: object = {}): { status: number | null; lines: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  try {
    const reporters = [join(root, "test/support/reporter.ts")];
    const config = { test: { globals: true, include: ["*.test.mjs"], reporters, ...options } };
    writeFileSync(join(folder, "vitest.config.mjs"), `export default ${JSON.stringify(config)};`);
    writeFileSync(join(folder, "some.test.mjs"), text);
    const words = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", folder];
    const { status, stdout } = spawnSync(process.execPath, words, { cwd: folder, encoding: "utf8" });
    return { status, lines: stdout.split("\n").filter((line) => line !== "") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("the reporter", { timeout: 120_000 }, () => {
  it.each([
    ["a test that passes", "it('a', () => {});", 0, ["1 passed, 0 failed, 0 skipped"]],
    [
      "a test that fails",
      "it('a', () => { throw new Error('no'); });",
      1,
      ["failed: some.test.mjs > a: no", "0 passed, 1 failed, 0 skipped"],
    ],
    [
      "a test that throws no error",
      "it('a', () => { throw 1; });",
      1,
      ["failed: some.test.mjs > a: 1", "0 passed, 1 failed, 0 skipped"],
    ],
    [
      "a test that fails with a long message",
      "it('a', () => { throw new Error('1234567'.split('').join('\\n')); });",
      1,
      ["failed: some.test.mjs > a: 1", "2", "3", "4", "5 …", "0 passed, 1 failed, 0 skipped"],
    ],
    [
      "a skip with a reason",
      "it('a', (context) => context.skip('needs x'));",
      0,
      ["skipped: some.test.mjs > a: needs x", "0 passed, 0 failed, 1 skipped"],
    ],
    [
      "a skip without one",
      "it.skip('a', () => {});",
      1,
      ["skipped: some.test.mjs > a: NO REASON GIVEN; call context.skip(reason)", "0 passed, 0 failed, 1 skipped"],
    ],
    [
      "a beforeAll that throws",
      "describe('s', () => { beforeAll(() => { throw new Error('no'); }); it('a', () => {}); }); it('b', () => {});",
      1,
      ["failed outside of its tests: some.test.mjs > s: no", "1 passed, 0 failed, 1 skipped, 1 suite failed"],
    ],
    [
      "an afterAll that throws",
      "describe('s', () => { afterAll(() => { throw new Error('no'); }); it('a', () => {}); });",
      1,
      ["failed outside of its tests: some.test.mjs > s: no", "1 passed, 0 failed, 0 skipped, 1 suite failed"],
    ],
    [
      "two suites whose hooks throw",
      "for (const s of 'st') describe(s, () => { afterAll(() => { throw new Error(s); }); it('a', () => {}); });",
      1,
      [
        "failed outside of its tests: some.test.mjs > s: s",
        "failed outside of its tests: some.test.mjs > t: t",
        "2 passed, 0 failed, 0 skipped, 2 suites failed",
      ],
    ],
    [
      "a file that throws",
      "throw new Error('no');",
      1,
      ["failed outside of its tests: some.test.mjs: no", "0 passed, 0 failed, 0 skipped, 1 suite failed"],
    ],
    [
      "a test that is retried until it passes",
      "let n = 0; it('a', { retry: 2 }, () => { if (n++ === 0) throw 1; });",
      1,
      ["may be retried: some.test.mjs > a: remove `retry`", "1 passed, 0 failed, 0 skipped"],
    ],
  ])("%s", (_, text, status, lines) => {
    expect(run(text)).toEqual({ status, lines });
  });

  it("a whole configuration that retries", { tags: ["deep"] }, () => {
    const lines = ["may be retried: some.test.mjs > a: remove `retry`", "1 passed, 0 failed, 0 skipped"];
    expect(run("it('a', () => {});", { retry: 1 })).toEqual({ status: 1, lines });
  });
});
