import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CountersignError } from "../../../../src/error.js";
import { ServiceManager } from "../../../../src/gate/agent/fd-store/service-manager.js";
import { addressOf, must, syscall } from "../../../../src/sys/libc.js";
import { NR } from "../../../../src/sys/numbers.js";
import { receiveWithFds } from "../../../../src/sys/socket.js";
import { until } from "../../../support/until.js";

const BIN = new URL("../../../../bin/countersign.js", import.meta.url).pathname;
const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000;

/** The receiving end of sd_notify(3). */
class Notified {
  readonly fd = must(syscall(NR.socket, AF_UNIX, SOCK_DGRAM_NONBLOCK, 0), "socket");

  constructor(readonly path: string) {
    const name = path.startsWith("@") ? `\0${path.slice(1)}` : `${path}\0`;
    const address = Buffer.concat([Buffer.from(Uint16Array.of(AF_UNIX).buffer), Buffer.from(name)]);
    must(syscall(NR.bind, this.fd, address, address.byteLength), "bind");
  }

  /** The next message and its fds; null where there is none. */
  next(): { readonly text: string; readonly fds: readonly number[] } | null {
    const bytes = new Uint8Array(4096);
    const { length, fds } = receiveWithFds(this.fd, bytes);
    return length < 0 ? null : { text: Buffer.from(bytes.subarray(0, length)).toString(), fds };
  }
}

describe("what a service manager says and hears", () => {
  let folder: string;
  let manager: Notified;

  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    folder = mkdtempSync(join(tmpdir(), "countersign-notify-"));
    manager = new Notified(join(folder, "notify"));
  });
  afterEach(() => {
    closeSync(manager.fd);
    rmSync(folder, { recursive: true, force: true });
  });

  it("is told of what the service is at, word by word", () => {
    const environment = { NOTIFY_SOCKET: manager.path, OTHER: "stays" };
    const service = new ServiceManager(environment);
    expect(environment).toEqual({ OTHER: "stays" });
    service.ready();
    service.reloading();
    service.stopping();
    service.drop("a name");
    const texts = Array.from({ length: 4 }, () => manager.next()?.text);
    expect(texts).toEqual([
      "READY=1\n",
      expect.stringMatching(/^RELOADING=1\nMONOTONIC_USEC=\d+$/),
      "STOPPING=1\n",
      "FDSTOREREMOVE=1\nFDNAME=a name",
    ]);
    expect(manager.next()).toBeNull();
  });

  it("is given fds to keep, which are the same files", () => {
    const service = new ServiceManager({ NOTIFY_SOCKET: manager.path });
    const path = join(folder, "file");
    writeFileSync(path, "kept");
    const fd = openSync(path, "r");
    expect(service.keep("countersign-1", [fd, fd])).toBe(true);
    closeSync(fd);
    const message = manager.next();
    expect(message?.text).toBe("FDSTORE=1\nFDNAME=countersign-1");
    expect(message?.fds).toHaveLength(2);
    const bytes = new Uint8Array(4);
    for (const kept of message?.fds ?? []) {
      expect(syscall(NR.pread64, kept, addressOf(bytes), 4, 0)).toBe(4);
      expect(Buffer.from(bytes).toString()).toBe("kept");
      closeSync(kept);
    }
  });

  it("is reached by an abstract name too", () => {
    const abstract = new Notified(`@countersign-test-${process.pid}`);
    new ServiceManager({ NOTIFY_SOCKET: abstract.path }).ready();
    expect(abstract.next()?.text).toBe("READY=1\n");
    closeSync(abstract.fd);
  });

  it("keeps nothing where there is none, or none that answers", () => {
    for (const path of [undefined, "", "vsock:2:1", "relative", join(folder, "nobody"), join(folder, "x".repeat(200))])
      expect(new ServiceManager({ NOTIFY_SOCKET: path }).keep("a", [0]), String(path)).toBe(false);
    expect(() => new ServiceManager({}).keep("a:b", [])).toThrow(CountersignError);
    expect(() => new ServiceManager({}).keep("a\nFDSTORE=1", [])).toThrow(CountersignError);
  });

  it("hands over no fds that are another process's, and no number of them that cannot be", () => {
    expect(new ServiceManager({ LISTEN_FDS: "2", LISTEN_PID: String(process.pid + 1) }).kept.size).toBe(0);
    expect(new ServiceManager({ LISTEN_FDS: "2" }).kept.size).toBe(0);
    for (const count of ["-1", "1e9", "x", "1.5", "NaN", "999999999999"])
      expect(() => new ServiceManager({ LISTEN_FDS: count, LISTEN_PID: String(process.pid) }), count).toThrow(
        expect.objectContaining({ code: "GATE_FAILED" }),
      );
  });

  it("wants signs of life only from who it asks, and in time", async () => {
    const service = new ServiceManager({ NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: "20000" });
    service.ready();
    await until(() => expect(manager.next()?.text).toBe("WATCHDOG=1\n"));
    for (const odd of ["", "x", "-5", "0"]) new ServiceManager({ WATCHDOG_USEC: odd }).ready();
    new ServiceManager({ WATCHDOG_USEC: "20000", WATCHDOG_PID: "1" }).ready();
  });
});

describe("an agent whose service manager kept what is none of its own", () => {
  let folder: string;
  let agent: ChildProcess;

  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    if (process.getuid?.() !== 0) context.skip("needs root");
    folder = mkdtempSync(join(tmpdir(), "countersign-kept-"));
  });
  afterEach(async () => {
    if (agent.exitCode === null) {
      agent.kill("SIGTERM");
      await once(agent, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it("has it dropped, and takes containers", { tags: ["deep"] }, async () => {
    const manager = new Notified(join(folder, "notify"));
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return openSync(join(folder, name), "r");
    };
    const state = JSON.stringify({ fds: ["seccompFd"], pid: 1, state: { id: "c", annotations: {} } });
    const kept: [string, number][] = [
      ["ca", write("state", state)], // without its listener
      ["cb", write("garbage", "\0".repeat(5000))],
      ["cc", openSync("/dev/zero", "r")],
      ["cd", openSync("/dev/null", "r")],
      ["other", write("other", state)],
      ["ce", write("one", state)],
      ["ce", write("two", state)],
      ["maps", write("maps", '{"asked":"0"}\n[1,"policy","enforce",[["asked","count","7"]]]\n')],
    ];
    writeFileSync(join(folder, "policy.js"), "export const bpf_prog_load = () => 0;");
    writeFileSync(join(folder, "c.yaml"), "version: 1\nattachments: [{ policy: policy.js }]\n");
    const words = `'${process.execPath}' '${BIN}' agent --socket '${folder}/agent.sock' --config '${folder}/c.yaml'`;
    agent = spawn("sh", ["-c", `LISTEN_PID=$$ exec ${words}`], {
      stdio: ["ignore", "pipe", "pipe", ...kept.map(([, fd]) => fd)],
      env: {
        ...process.env,
        NOTIFY_SOCKET: manager.path,
        LISTEN_FDS: String(kept.length + 1), // one more than there are
        LISTEN_FDNAMES: kept.map(([name]) => name).join(":"),
      },
    });
    const texts: string[] = [];
    await until(() => {
      for (let message = manager.next(); message !== null; message = manager.next()) texts.push(message.text);
      expect(texts).toContain("READY=1\n");
    });
    const names = [...new Set(kept.map(([name]) => name))];
    expect(texts.toSorted()).toEqual([...names.map((name) => `FDSTOREREMOVE=1\nFDNAME=${name}`), "READY=1\n"].sort());
    expect(texts.at(-1)).toBe("READY=1\n");
    for (const [, fd] of kept) closeSync(fd);
    closeSync(manager.fd);
  });
});
