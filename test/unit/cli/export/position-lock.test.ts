import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PositionLock } from "../../../../src/cli/export/position-lock.js";
import { rejection } from "../../../support/rejection.js";
import { until } from "../../../support/until.js";

let folder: string;
let position: string;
beforeEach((context) => {
  if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
  folder = mkdtempSync(join(tmpdir(), "countersign-position-"));
  position = join(folder, "log.exported");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the lock of a position", () => {
  it("is that of one export, until it is released", () => {
    const lock = PositionLock.take(position)!;
    const { code, message, place } = rejection(() => PositionLock.take(position));
    expect([code, place, message]).toEqual([
      "EXPORT_RUNNING",
      position,
      expect.stringContaining(`another export (process ${process.pid})`),
    ]);
    const other = PositionLock.take(`${position}.2`)!;
    lock.release();
    for (const each of [PositionLock.take(position)!, other]) each.release();
    expect(existsSync(`${position}.lock`)).toBe(true);
  });

  it("is free after its process was killed", async () => {
    const holder = spawn("flock", [`${position}.lock`, "sleep", "100"], { stdio: "ignore", detached: true });
    await until(() => expect(existsSync(`${position}.lock`) && isTaken()).toBe(true));
    process.kill(-holder.pid!, "SIGKILL");
    await once(holder, "exit");
    await until(() => expect(isTaken()).toBe(false));
  });

  it("needs a file that can be opened", () => {
    mkdirSync(`${position}.lock`);
    expect(rejection(() => PositionLock.take(position))).toMatchObject({
      code: "FILE_UNREADABLE",
      place: `${position}.lock`,
    });
  });

  function isTaken(): boolean {
    try {
      PositionLock.take(position)!.release();
      return false;
    } catch {
      return true;
    }
  }
});
