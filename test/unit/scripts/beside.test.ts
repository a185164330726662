import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("../../../scripts/beside.sh", import.meta.url));

const HEADING = (number: number) => `== failed, number ${number} of the commands at the same time; its last lines:`;

function beside(...commands: string[]): { status: number | null; lines: string[] } {
  const { status, stdout } = spawnSync("bash", [script, ...commands], { encoding: "utf8" });
  return { status, lines: stdout.split("\n").filter((line) => line !== "") };
}

describe("scripts/beside.sh", () => {
  it.each([
    ["all succeed", ["echo a", "echo b"], 0, ["a", "b"]],
    ["the first fails", ["echo a; false", "echo b"], 1, ["a", "b", HEADING(1), "a"]],
    ["another fails", ["echo a", "echo b; exit 3", "echo c"], 1, ["a", "b", "c", HEADING(2), "b"]],
    ["all fail", ["echo a; false", "echo b; false"], 1, ["a", "b", HEADING(1), "a", HEADING(2), "b"]],
    ["one is killed", ["echo a", "echo b; kill -9 $$"], 1, ["a", "b", HEADING(2), "b"]],
  ])("prints the output of each command, and last of those that failed: %s", (_, commands, status, lines) => {
    expect(beside(...commands)).toEqual({ status, lines });
  });

  it("repeats only the last 40 lines of a command that failed", () => {
    const { status, lines } = beside("seq 100; false");
    expect(status).toBe(1);
    expect(lines.slice(100)).toEqual([HEADING(1), ...Array.from({ length: 40 }, (_, at) => String(61 + at))]);
  });
});
