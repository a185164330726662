import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** What vitest answers to files of tests: its exit status, and what the reporter printed. */
function run(texts: Readonly<Record<string, string>>, options: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  try {
    const reporters = [join(root, "test/support/reporter.ts")];
    const config = { test: { globals: true, include: ["*.test.mjs"], reporters, ...options } };
    writeFileSync(join(folder, "vitest.config.mjs"), `export default ${JSON.stringify(config)};`);
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, `${name}.test.mjs`), text);
    const words = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", folder];
    const { status, stdout } = spawnSync(process.execPath, words, { cwd: folder, encoding: "utf8" });
    return { status, lines: stdout.split("\n").filter((line) => line !== "") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Files that make a run fail whatever the reporter does, and what it prints about each. */
const FAILING: readonly (readonly [name: string, text: string, lines: readonly string[]])[] = [
  ["fails", "it('a', () => { throw new Error('no'); });", ["failed: fails.test.mjs > a: no"]],
  ["no-error", "it('a', () => { throw 1; });", ["failed: no-error.test.mjs > a: 1"]],
  [
    "long-message",
    "it('a', () => { throw new Error('1234567'.split('').join('\\n')); });",
    ["failed: long-message.test.mjs > a: 1", "2", "3", "4", "5 …"],
  ],
  [
    "before-all",
    "describe('s', () => { beforeAll(() => { throw new Error('no'); }); it('a', () => {}); }); it('b', () => {});",
    ["failed outside of its tests: before-all.test.mjs > s: no"],
  ],
  [
    "after-all",
    "describe('s', () => { afterAll(() => { throw new Error('no'); }); it('a', () => {}); });",
    ["failed outside of its tests: after-all.test.mjs > s: no"],
  ],
  [
    "two-suites",
    "for (const s of 'st') describe(s, () => { afterAll(() => { throw new Error(s); }); it('a', () => {}); });",
    [
      "failed outside of its tests: two-suites.test.mjs > s: s",
      "failed outside of its tests: two-suites.test.mjs > t: t",
    ],
  ],
  ["file", "throw new Error('no');", ["failed outside of its tests: file.test.mjs: no"]],
];

describe("the reporter", { timeout: 120_000 }, () => {
  it("counts, and gives the reasons of skips", () => {
    const texts = { passes: "it('a', () => {});", skips: "it('a', (context) => context.skip('needs x'));" };
    const lines = ["skipped: skips.test.mjs > a: needs x", "1 passed, 0 failed, 1 skipped"];
    expect(run(texts)).toEqual({ status: 0, lines });
  });

  describe("names what failed:", () => {
    let ran: ReturnType<typeof run>;
    beforeAll(() => {
      ran = run(Object.fromEntries(FAILING));
    });

    it.each(FAILING)("%s", (_name, _text, lines) => {
      const from = ran.lines.indexOf(lines[0]!);
      expect(ran.lines.slice(from, from + lines.length)).toEqual(lines);
    });

    it("and nothing else, with the counts at the end", () => {
      const lines = FAILING.reduce((sum, [, , own]) => sum + own.length, 0);
      expect(ran.lines.length).toBe(lines + 1);
      expect(ran.lines.at(-1)).toBe("4 passed, 3 failed, 1 skipped, 5 suites failed");
      expect(ran.status).toBe(1);
    });
  });

  it.each([
    [
      "a skip without a reason",
      "it.skip('a', () => {});",
      {},
      ["skipped: some.test.mjs > a: NO REASON GIVEN; call context.skip(reason)", "0 passed, 0 failed, 1 skipped"],
    ],
    [
      "a test that is retried until it passes",
      "let n = 0; it('a', { retry: 2 }, () => { if (n++ === 0) throw 1; });",
      {},
      ["may be retried: some.test.mjs > a: remove `retry`", "1 passed, 0 failed, 0 skipped"],
    ],
    [
      "a whole configuration that retries",
      "it('a', () => {});",
      { retry: 1 },
      ["may be retried: some.test.mjs > a: remove `retry`", "1 passed, 0 failed, 0 skipped"],
    ],
  ])("makes a run fail by %s", { tags: ["deep"] }, (_, text, options, lines) => {
    expect(run({ some: text }, options)).toEqual({ status: 1, lines });
  });
});
