import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RotatingFile } from "../../src/log/rotating.js";

const LINE = `${JSON.stringify({ filler: "x".repeat(1500) })}\n`;

it("a disk that is full refuses, and what comes later is on lines of its own", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-full-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", folder], { stdio: "pipe" });
  } catch {
    rmSync(folder, { recursive: true });
    return context.skip("needs the right to mount a tmpfs");
  }
  try {
    const file = join(folder, "decisions.jsonl");
    const ballast = join(folder, "ballast");
    writeFileSync(ballast, "x".repeat(4096));
    const log = new RotatingFile({ file, rotate: 2 ** 20, keep: 2 });
    let whole = 0;
    const fill = () => {
      for (;;) {
        log.write(LINE);
        whole += 1;
      }
    };
    expect(fill).toThrow("the log cannot be written: ENOSPC");
    expect(statSync(file).size % LINE.length, "half a line is there").not.toBe(0);
    expect(() => log.write(LINE)).toThrow("the log cannot be written: ENOSPC");
    truncateSync(ballast, 0);
    log.write(LINE);
    const lines = readFileSync(file, "utf8").split("\n");
    expect(lines.filter((line) => `${line}\n` === LINE)).toHaveLength(whole + 1);
    expect(lines.at(-2)).toBe(LINE.trimEnd());
    expect(log.torn).toBe(1);
    log.close();
  } finally {
    execFileSync("umount", ["--lazy", folder]);
    rmSync(folder, { recursive: true });
  }
});
