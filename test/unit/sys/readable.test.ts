import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bundledSource } from "../../support/bundled-source.js";

const ROOT = join(import.meta.dirname, "../../..");
const ALARM = `
import { LoopAlarm } from "./src/sys/loop-alarm.js";
const alarm = new LoopAlarm();
alarm.setTimeout(() => {}, 1).unref();
// the alarm expires after the event loop has ended
process.on("exit", () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20));
`;

describe.runIf(process.platform === "linux")("a process that ends while an fd that it watches is readable", () => {
  it.each([
    ["by itself", "", 0],
    ["by itself, with an exit code", "process.exitCode = 3", 3],
    ["by process.exit", "process.exit(4)", 4],
    ["by an error", "throw new Error('one')", 1],
    ["by itself, after another watch was closed", "new LoopAlarm().close()", 0],
    [
      "by itself, after its only watch was closed and another began",
      "alarm.close(); new LoopAlarm().setTimeout(() => {}, 1).unref()",
      0,
    ],
  ])("does not abort: %s", (_, how, status) => {
    const done = spawnSync(process.execPath, ["-e", bundledSource(ALARM + how)], { encoding: "utf8", cwd: ROOT });
    expect(done.stderr).not.toContain("FATAL ERROR");
    expect([done.status, done.signal]).toEqual([status, null]);
  });
});
