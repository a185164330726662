import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { unmapExecutablePages, unmodifiedMappings } from "../../../src/sys/executable.js";

const NODE = "/usr/bin/node";

/** One entry of /proc/PID/smaps with its first and last counters. */
function entry(range: string, permissions: string, path: string, anonymous = 0): string {
  return `${range} ${permissions} 00766000 fe:00 33141                              ${path}
Size:              28140 kB
Rss:               16388 kB
Anonymous:         ${String(anonymous).padStart(6)} kB
VmFlags: rd ex mr mw me
`;
}

describe("mappings that are equal to the executable", () => {
  const TEXT = entry("00b66000-026e1000", "r-xp", NODE);
  const CONSTANTS = entry("02801000-057eb000", "r--p", NODE);

  it("are those for reading and executing, each with its range", () => {
    expect(unmodifiedMappings(TEXT + CONSTANTS, NODE)).toEqual([
      { start: 0xb66000, length: 0x026e1000 - 0xb66000 },
      { start: 0x2801000, length: 0x057eb000 - 0x2801000 },
    ]);
  });

  it.each([
    ["one with relocated pages", entry("057eb000-05873000", "r--p", NODE, 60)],
    ["one that can be written", entry("05873000-05892000", "rw-p", NODE)],
    ["one of code that can be written", entry("05873000-05892000", "rwxp", NODE)],
    ["a shared one", entry("05873000-05892000", "r--s", NODE)],
    ["one of another file", entry("7f0000000000-7f0000001000", "r-xp", "/usr/lib/libc.so.6")],
    ["one of a file whose name begins so", entry("7f0000000000-7f0000001000", "r-xp", `${NODE}.so`)],
    ["one of a deleted file", entry("7f0000000000-7f0000001000", "r-xp", `${NODE} (deleted)`)],
    ["anonymous memory", entry("7f0000000000-7f0000001000", "r--p", "")],
    ["an entry without counters", "00b66000-026e1000 r-xp 00766000 fe:00 33141 /usr/bin/node\n"],
  ])("are not %s", (_, other) => {
    expect(unmodifiedMappings(other, NODE)).toEqual([]);
    expect(unmodifiedMappings(TEXT + other + CONSTANTS, NODE)).toHaveLength(2);
  });
});

describe.skipIf(process.platform !== "linux" || process.arch !== "x64")(
  "a process whose executable is unmapped",
  () => {
    it("has fewer resident file pages, and continues to run", () => {
      const before = residentFilePages();
      unmapExecutablePages();
      expect(residentFilePages()).toBeLessThan(before);
      expect(JSON.parse('{"a":[1,2]}')).toEqual({ a: [1, 2] });
    });
  },
);

/** In kB (proc_pid_status(5)). */
function residentFilePages(): number {
  return Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
}
