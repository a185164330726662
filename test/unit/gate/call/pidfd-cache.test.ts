import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { PidfdCache } from "../../../../src/gate/call/pidfd-cache.js";
import { close } from "../../../../src/gate/sys/pidfd.js";

describe("the thread that made the last call", () => {
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
  });

  const open = () => readdirSync("/proc/self/fd").length;

  it("is found again by the same fd, and told who it is", (context) => {
    const last = new PidfdCache();
    expect(last.find(process.pid)).toBe(true);
    if (last.info === null) context.skip("needs PIDFD_GET_INFO (Linux 6.13)");
    const before = open();
    const { info, pidfd } = last;
    expect(info).toMatchObject({ tgid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() });
    expect(last.find(process.pid)).toBe(true);
    expect([last.info, last.pidfd, open()]).toEqual([info, pidfd, before]);
    close(last.pidfd);
  });

  it("makes room for another one, and opens nothing more", async () => {
    const other = spawn("sleep", ["100"]);
    const last = new PidfdCache();
    last.find(process.pid);
    const before = open();
    for (const tid of [other.pid!, process.pid, other.pid!]) {
      expect(last.find(tid)).toBe(true);
      expect(last.info?.tgid ?? tid).toBe(tid);
    }
    expect(open()).toBe(before);
    other.kill("SIGKILL");
    await once(other, "exit");
    close(last.pidfd);
  });

  it("is not found once it has ended, nor is who it was", async () => {
    const other = spawn("sleep", ["100"]);
    const last = new PidfdCache();
    expect(last.find(other.pid!)).toBe(true);
    other.kill("SIGKILL");
    await once(other, "exit");
    expect(last.find(other.pid!)).toBe(false);
    expect(last.info).toBeNull();
    expect(last.find(process.pid)).toBe(true);
    close(last.pidfd);
  });

  it("is none for a task that cannot be seen from here, whoever came before", () => {
    const last = new PidfdCache();
    expect([process.pid, 0, 0].map((tid) => last.find(tid))).toEqual([true, false, false]);
    expect(last.info).toBeNull();
    close(last.pidfd);
  });

  it("keeps a number that says by its link what it is for", () => {
    const last = new PidfdCache();
    last.find(process.pid);
    expect(readlinkSync(`/proc/self/fd/${last.pidfd}`)).toMatch(/pidfd/);
    close(last.pidfd);
  });
});
