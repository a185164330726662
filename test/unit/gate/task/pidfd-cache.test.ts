import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { PidfdCache } from "../../../../src/gate/task/pidfd-cache.js";
import { namespaceOf } from "../../../../src/sys/namespace.js";
import { close } from "../../../../src/sys/pidfd.js";
import { ThreadFiles } from "../../../../src/sys/thread-files.js";
import { openFiles } from "../../../support/open-fds.js";

describe("the thread that made the last call", () => {
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
  });

  it("is found again by the same fd, with its identity", (context) => {
    const last = new PidfdCache();
    expect(last.find(process.pid)).toBe(true);
    if (last.info === null) context.skip("needs PIDFD_GET_INFO (Linux 6.13)");
    const before = openFiles();
    const { info, pidfd } = last;
    expect(info).toMatchObject({ tgid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() });
    expect(last.find(process.pid)).toBe(true);
    expect([last.info, last.pidfd, openFiles()]).toEqual([info, pidfd, before]);
    close(last.pidfd);
  });

  it("makes room for another one, and opens nothing more", async () => {
    const other = spawn("sleep", ["100"]);
    const last = new PidfdCache();
    last.find(process.pid);
    const before = openFiles();
    for (const tid of [other.pid!, process.pid, other.pid!]) {
      expect(last.find(tid)).toBe(true);
      expect(last.info?.tgid ?? tid).toBe(tid);
    }
    expect(openFiles()).toEqual(before);
    other.kill("SIGKILL");
    await once(other, "exit");
    close(last.pidfd);
  });

  it("is not found after it exited, and neither is its identity", async () => {
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

  it("has a process that is no other one, also if its id is used again", async () => {
    const [one, other] = [spawn("sleep", ["100"]), spawn("sleep", ["100"])];
    const last = new PidfdCache();
    const of = (pid: number) => {
      last.find(pid);
      return last.process(pid);
    };
    expect(of(process.pid)).toMatch(new RegExp(`^${process.pid} \\d+$`));
    expect(new Set([one.pid!, other.pid!, one.pid!, process.pid].map(of)).size).toBe(3);
    for (const each of [one, other]) {
      each.kill("SIGKILL");
      await once(each, "exit");
    }
    expect(of(one.pid!)).toBe("");
    close(last.pidfd);
  });

  it("has its files kept open from its fifth call in a row", (context) => {
    const files = new ThreadFiles();
    const last = new PidfdCache(files);
    last.find(process.pid);
    if (last.info === null) context.skip("needs PIDFD_GET_INFO (Linux 6.13)");
    const kept = [1, 2, 3, 4, 5].map(() => last.find(process.pid) && last.files !== null);
    expect(kept).toEqual([false, false, false, true, true]);
    expect(last.files?.namespace("user")).toBe(namespaceOf("self", "user"));
    expect([process.ppid, process.pid].map((tid) => last.find(tid) && last.files)).toEqual([null, null]);
    for (const fd of [last.pidfd, ...files.fds]) close(fd);
  });

  it("is not used for a task outside of the gate's pid namespace", () => {
    const last = new PidfdCache();
    expect([process.pid, 0, 0].map((tid) => last.find(tid))).toEqual([true, false, false]);
    expect(last.info).toBeNull();
    close(last.pidfd);
  });

  it("keeps a pidfd, as the link in /proc shows", () => {
    const last = new PidfdCache();
    last.find(process.pid);
    expect(readlinkSync(`/proc/self/fd/${last.pidfd}`)).toMatch(/pidfd/);
    close(last.pidfd);
  });
});
