import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isRunning } from "../../../../src/seal/status/agent-process.js";

/** /proc/PID/stat of process 7 that started after 1234 ticks. */
const stat = (name: string, state: string) => `7 (${name}) ${state} 1 ${Array(17).fill("0").join(" ")} 1234 0 0\n`;

describe("the process that may write tickets", () => {
  it.for([
    ["runs", stat("node", "S"), true],
    ["runs, whatever its name is", stat("a) S 1 (b", "R"), true],
    ["has ended, and waits for its parent", stat("node", "Z"), false],
    ["has ended, and another one has its id", stat("node", "S").replace("1234", "1235"), false],
    ["cannot be read", "", false],
  ] as const)("%s", ([, text, expected]) => {
    const procfs = mkdtempSync(join(tmpdir(), "proc-"));
    try {
      mkdirSync(join(procfs, "7"));
      writeFileSync(join(procfs, "7", "stat"), text);
      expect(isRunning({ pid: 7, start: 1234n }, procfs)).toBe(expected);
      expect(isRunning({ pid: 8, start: 1234n }, procfs)).toBe(false);
    } finally {
      rmSync(procfs, { recursive: true });
    }
  });

  it("has the time of start that the kernel shows", () => {
    const text = readFileSync("/proc/self/stat", "latin1");
    const start = BigInt(text.slice(text.lastIndexOf(")") + 2).split(" ")[19]!);
    expect(isRunning({ pid: process.pid, start })).toBe(true);
  });
});
