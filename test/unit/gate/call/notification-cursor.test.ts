import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NotificationCursor } from "../../../../src/gate/call/notification-cursor.js";
import { notificationBuffer } from "../../../../src/gate/task/blocking/notification.js";

describe("a notification cursor", () => {
  let folder: string;
  let path: string;
  let fd: number;

  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    folder = mkdtempSync(join(tmpdir(), "countersign-cursor-"));
    path = join(folder, "file");
    writeFileSync(path, `${"\0".repeat(8)}what follows`);
    fd = openSync(path, "r+");
  });
  afterEach(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  });

  const received = (id: bigint) => {
    const notification = notificationBuffer();
    new DataView(notification.buffer).setBigUint64(0, id, true);
    return notification;
  };
  const mark = () => readFileSync(path).readBigUInt64LE(0);

  it("is never 64 calls or more behind, wherever ids begin, and leaves what follows it alone", () => {
    for (const start of [1n, 0xffff_fff0n, 0xffff_ffff_ffff_ffe0n, 0x7fff_ffff_ffff_ff00n]) {
      const cursor = new NotificationCursor(fd);
      for (let step = 0n; step < 300n; step += step % 7n === 0n ? 3n : 1n) {
        const id = BigInt.asUintN(64, start + step);
        cursor.received(received(id));
        expect(BigInt.asUintN(64, id - mark())).toBeLessThan(64n);
      }
    }
    expect(readFileSync(path, "latin1").slice(8)).toBe("what follows");
  });

  it("is written seldom", () => {
    const cursor = new NotificationCursor(fd);
    const marks = new Set<bigint>();
    for (let id = 1000n; id < 2000n; id += 1n) {
      cursor.received(received(id));
      marks.add(mark());
    }
    expect(marks.size).toBe(16);
  });

  it("is nowhere without a file", () => {
    new NotificationCursor(-1).received(received(5n));
    expect(mark()).toBe(0n);
  });
});
