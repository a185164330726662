import { existsSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { AgentSocket } from "../../../../src/gate/agent/agent-socket.js";
import { close } from "../../../../src/sys/pidfd.js";
import { bindTo, connectTo, listenOn, newSocket } from "../../../../src/sys/socket.js";

const isHere = process.platform === "linux" && process.arch === "x64";

describe.skipIf(!isHere)("the socket of an agent", () => {
  let folder: string;
  let path: string;
  const open: (() => void)[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-socket-"));
    path = join(folder, "agent.sock");
  });
  afterEach(() => {
    for (const end of open.splice(0)) end();
    rmSync(folder, { recursive: true, force: true });
  });

  const opened = (at = path) => {
    const socket = AgentSocket.open(at, () => undefined);
    open.push(() => socket.close());
    return socket;
  };
  const raw = (at = path) => {
    const fd = newSocket();
    expect(bindTo(fd, at)).toBe(0);
    open.push(() => close(fd));
    return fd;
  };
  const unusable = (message: string | RegExp, at = path) => {
    const expected = { code: "SOCKET_UNUSABLE", place: at, remedy: expect.any(String) };
    expect(() => opened(at)).toThrow(expect.objectContaining({ ...expected, message: expect.stringMatching(message) }));
  };

  it("accepts connections of its user only, and is removed when it is closed", () => {
    const socket = opened();
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(connectTo(path)).toBe(0);
    open.pop();
    socket.close();
    expect([existsSync(path), existsSync(`${path}.lock`)]).toEqual([false, false]);
  });

  it("is one agent's: a second one is an error that names the first, which keeps it", () => {
    opened();
    const { ino } = lstatSync(path);
    unusable(`another agent \\(process ${process.pid}\\) has this socket`);
    expect([lstatSync(path).ino, connectTo(path)]).toEqual([ino, 0]);
  });

  it("belongs to one agent even if its path is removed", () => {
    opened();
    rmSync(path);
    unusable(/another agent/);
  });

  it("replaces a socket on which no process listens", () => {
    const left = raw();
    listenOn(left);
    close(left);
    open.pop();
    expect(connectTo(path)).toBe(-ERRNO.ECONNREFUSED);
    opened();
    expect(connectTo(path)).toBe(0);
  });

  it.each([
    ["accepts", 0, 0],
    ["has as many connections waiting as it takes", 200, -ERRNO.EAGAIN],
  ])("does not replace a socket on which another process listens, which %s", (_, connections, last) => {
    listenOn(raw());
    for (let count = 0; count < connections; count += 1) connectTo(path);
    expect(connectTo(path)).toBe(last);
    unusable(/another process listens/);
    expect(connectTo(path)).toBe(last);
  });

  it.each<[string, () => void]>([
    ["a file", () => writeFileSync(path, "text")],
    ["a folder", () => mkdirSync(path)],
    [
      "a symbolic link to a socket",
      () => {
        raw(join(folder, "other.sock"));
        symlinkSync("other.sock", path);
      },
    ],
    ["a symbolic link to nothing", () => symlinkSync("nothing", path)],
  ])("does not replace %s", (_, make) => {
    make();
    const { ino } = lstatSync(path);
    unusable(/something else than a socket/);
    expect(lstatSync(path).ino).toBe(ino);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it.each<[string, string, RegExp]>([
    ["longer than the kernel takes", `/tmp/${"a".repeat(103)}`, /at most 107 bytes, and this one has 108/],
    ["abstract", "@agent", /abstract socket/],
    ["in no folder", "/nowhere/agent.sock", /cannot be locked: ENOENT/],
    ["in what is no folder", "/dev/null/agent.sock", /cannot be locked: ENOTDIR/],
  ])("is an error at a path that is %s", (_, at, message) => unusable(message, at));

  it("is an error where the lock is a symbolic link", () => {
    symlinkSync("elsewhere", `${path}.lock`);
    unusable(/cannot be locked: ELOOP/);
    expect(existsSync(join(folder, "elsewhere"))).toBe(false);
  });

  it.each<[string, () => void]>([
    [
      "another socket",
      () => {
        raw(join(folder, "new.sock"));
        renameSync(join(folder, "new.sock"), path);
      },
    ],
    [
      "a file",
      () => {
        writeFileSync(join(folder, "new"), "text");
        renameSync(join(folder, "new"), path);
      },
    ],
  ])("does not remove %s that has taken its path", (_, replace) => {
    const socket = opened();
    open.pop();
    replace();
    const { ino } = lstatSync(path);
    socket.close();
    expect(lstatSync(path).ino).toBe(ino);
  });

  it.each<[string, () => void]>([
    ["its path", () => rmSync(path)],
    ["its lock", () => rmSync(`${path}.lock`)],
    ["its folder", () => rmSync(folder, { recursive: true })],
  ])("is closed without an error if %s was removed", (_, lose) => {
    const socket = opened();
    open.pop();
    lose();
    expect(() => socket.close()).not.toThrow();
    expect(existsSync(path)).toBe(false);
  });

  it("can be opened again any number of times, with any umask", () => {
    const mask = process.umask(0);
    try {
      for (let count = 0; count < 20; count += 1) {
        opened();
        expect(lstatSync(path).mode & 0o777).toBe(0o600);
        expect(lstatSync(`${path}.lock`).mode & 0o777).toBe(0o600);
        open.pop()?.();
      }
    } finally {
      process.umask(mask);
    }
  });
});
