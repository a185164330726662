import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const ALARM = `
import { LoopAlarm } from "./src/sys/loop-alarm.js";
const alarm = new LoopAlarm();
alarm.set(1);
// the alarm expires after the event loop has ended
process.on("exit", () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20));
`;

function bundled(source: string): string {
  const [bundle] = buildSync({
    stdin: { contents: source, resolveDir: ROOT, loader: "ts" },
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    external: ["koffi"],
    define: { "import.meta.url": JSON.stringify(pathToFileURL(join(ROOT, "src/sys/native.ts")).href) },
  }).outputFiles;
  return bundle!.text;
}

describe.runIf(process.platform === "linux")("a process that ends while an fd that it watches is readable", () => {
  it.each([
    ["by itself", "", 0],
    ["by itself, with an exit code", "process.exitCode = 3", 3],
    ["by process.exit", "process.exit(4)", 4],
    ["by an error", "throw new Error('one')", 1],
    ["by itself, after another watch was closed", "new LoopAlarm().close()", 0],
    ["by itself, after its only watch was closed and another began", "alarm.close(); new LoopAlarm().set(1)", 0],
  ])("does not abort: %s", (_, how, status) => {
    const done = spawnSync(process.execPath, ["-e", bundled(ALARM + how)], { encoding: "utf8", cwd: ROOT });
    expect(done.stderr).not.toContain("FATAL ERROR");
    expect([done.status, done.signal]).toEqual([status, null]);
  });
});
