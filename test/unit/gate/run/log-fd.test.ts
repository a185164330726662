import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeLogFd } from "../../../../src/gate/run/log-fd.js";
import { close } from "../../../../src/sys/pidfd.js";
import { RuntimeConnection } from "../../../support/runtime-connection.js";

describe("an inherited fd for the decision log", () => {
  let folder: string;
  let path: string;
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    folder = mkdtempSync(join(tmpdir(), "countersign-log-fd-"));
    path = join(folder, "log");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const inheriting = (...fds: readonly number[]) => ({ openFiles: 7, fds, environment: [] });

  it("is opened again for appending, and the command does not inherit it", () => {
    const fd = openSync(path, "w");
    writeSync(fd, "first\n");
    const { log, rest } = takeLogFd(fd, inheriting(0, fd, 9999));
    expect(log).toMatchObject({ file: `fd ${fd}`, rotate: Number.POSITIVE_INFINITY, keep: 0 });
    writeSync(log.fd!, "second\n");
    expect(readFileSync(path, "utf8")).toBe("first\nsecond\n");
    expect(rest).toEqual(inheriting(0, 9999));
    closeSync(log.fd!);
  });

  it("is used as it is if it cannot be opened again", () => {
    const { runtime, accepted } = RuntimeConnection.pair();
    expect(takeLogFd(accepted, inheriting(accepted)).log.fd).toBe(accepted);
    close(accepted);
    runtime.close();
  });

  it("is rejected if it was not inherited, or is a folder", () => {
    const fd = openSync(folder, "r");
    for (const [inherited, message] of [
      [[], "the log is not open"],
      [[fd], "the log cannot be written to: EISDIR"],
    ] as const)
      expect(() => takeLogFd(fd, inheriting(...inherited))).toThrow(
        expect.objectContaining({ code: "FILE_UNREADABLE", message, place: `fd ${fd}` }),
      );
    closeSync(fd);
  });
});
