import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { namespaceOf } from "../../../src/sys/namespace.js";
import { close } from "../../../src/sys/pidfd.js";
import { type NamespaceKind, ThreadFiles } from "../../../src/sys/thread-files.js";
import { isOpen, openFiles } from "../../support/open-fds.js";

/** Says on stdout when it has changed, and changes at a line of stdin. */
const CHANGES = `read line; printf other > /proc/self/comm; echo named
read line; exec cat`;
const KINDS: readonly NamespaceKind[] = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];

let child: ChildProcess;
let files: ThreadFiles;

beforeEach((context) => {
  if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
  files = new ThreadFiles();
});

afterEach(async () => {
  for (const fd of files.fds) close(fd);
  child.kill("SIGKILL");
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
});

async function start(file: string, ...words: string[]): Promise<number> {
  child = spawn(file, words, { stdio: ["pipe", "pipe", "ignore"] });
  await once(child, "spawn");
  files.belongTo(child.pid!);
  return child.pid!;
}

async function next(line: string): Promise<void> {
  child.stdin!.write(`${line}\n`);
  await once(child.stdout!, "data");
}

describe("the files of a thread that are kept open", () => {
  it("have what /proc says of it", async () => {
    const pid = await start("sleep", "100");
    expect([files.comm(), files.exe()]).toEqual(["sleep", readlinkSync(`/proc/${pid}/exe`)]);
    const numbers = Object.fromEntries(KINDS.map((kind) => [kind, namespaceOf(pid, kind)]));
    expect(numbers.mnt).toBeGreaterThan(0);
    expect(files.namespaces(namespaceOf(pid, "user"))).toEqual(numbers);
    expect(KINDS.map((kind) => files.namespace(kind))).toEqual(KINDS.map((kind) => numbers[kind]));
  });

  it("show a new name and a new executable at the next read", async () => {
    await start("sh", "-c", CHANGES);
    const before = files.exe();
    expect(files.comm()).toBe("sh");
    await next("name");
    expect([files.comm(), files.exe()]).toEqual(["other", before]);
    await next("exec\necho");
    expect(files.comm()).toBe("cat");
    expect(files.exe()).not.toBe(before);
  });

  it("show a namespace that the thread has entered since, and the same object while none changed", async (context) => {
    if (process.getuid?.() !== 0) context.skip("needs root");
    await start("sh", "-c", "read line; exec unshare --net --uts cat");
    const user = files.namespace("user");
    const before = files.namespaces(user);
    expect(files.namespaces(user)).toBe(before);
    await next("unshare\necho");
    const after = files.namespaces(user);
    const changed = KINDS.filter((kind) => after[kind] !== before[kind]);
    expect(changed).toEqual(["net", "uts"]);
    expect(after.net).toBe(namespaceOf(child.pid!, "net"));
  });

  it("have nothing of a thread that has exited", async () => {
    await start("sleep", "100");
    const user = files.namespace("user");
    files.namespaces(user);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect([files.comm(), files.exe(), files.namespace("net")]).toEqual([null, null, 0]);
    expect(files.namespaces(user).mnt).toBe(0);
  });

  it("are those of another thread after a change, with the same fds and no more", async () => {
    await start("sleep", "100");
    files.comm();
    files.exe();
    files.namespaces(files.namespace("user"));
    const before = openFiles();
    const fds = [...files.fds];
    for (const [pid, name] of [
      [process.pid, readlinkSync("/proc/self/exe")],
      [child.pid!, readlinkSync(`/proc/${child.pid}/exe`)],
    ] as const) {
      files.belongTo(pid);
      files.comm();
      expect(files.exe()).toBe(name);
      files.namespaces(files.namespace("user"));
    }
    expect(files.fds).toEqual(fds);
    expect(fds.every(isOpen)).toBe(true);
    expect(openFiles().length).toBe(before.length);
  });
});
