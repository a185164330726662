import { fstatSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ServiceManager } from "../../../../../src/gate/agent/fd-store/service-manager.js";
import { NotifySocket } from "../../../../support/notify-socket.js";

describe("the service manager", () => {
  let socket: NotifySocket;
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    socket = new NotifySocket();
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const texts = () => socket.received().map(({ text }) => text);

  it("is notified at twice the rate of its watchdog, from `ready` on", () => {
    const manager = new ServiceManager({ NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: "20000" });
    vi.advanceTimersByTime(100);
    expect(texts()).toEqual([]);
    manager.ready();
    manager.ready();
    vi.advanceTimersByTime(25);
    expect(texts()).toEqual(["READY=1\n", "READY=1\n", "WATCHDOG=1\n", "WATCHDOG=1\n"]);
  });

  it.each([
    ["of another process", { WATCHDOG_USEC: "20000", WATCHDOG_PID: "1" }],
    ["without an interval", { WATCHDOG_USEC: "x" }],
  ])("is not notified for a watchdog %s", (_, environment) => {
    new ServiceManager({ NOTIFY_SOCKET: socket.path, ...environment }).ready();
    vi.advanceTimersByTime(1000);
    expect(texts()).toEqual(["READY=1\n"]);
  });

  it("is told of a reload and of the end, and to drop fds", () => {
    const manager = socket.manager();
    manager.reloading();
    manager.stopping();
    manager.drop("c1");
    const reloading = expect.stringMatching(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
    expect(texts()).toEqual([reloading, "STOPPING=1\n", "FDSTOREREMOVE=1\nFDNAME=c1"]);
  });

  it("keeps fds under a valid name", () => {
    expect(socket.manager().keep("c1", [0])).toBe(true);
    const [{ text, fds } = { text: "", fds: [] }] = socket.received();
    expect(text).toBe("FDSTORE=1\nFDNAME=c1");
    expect(fds.map((fd) => fstatSync(fd).ino)).toEqual([fstatSync(0).ino]);
    expect(() => socket.manager().keep("a:b", [0])).toThrow(expect.objectContaining({ code: "INTERNAL" }));
  });

  it("gave fds to this process only if the environment says so, with a valid number", () => {
    const environment = { LISTEN_PID: String(process.pid), LISTEN_FDS: "0", LISTEN_FDNAMES: "c1", OTHER: "1" };
    expect(new ServiceManager(environment).kept).toEqual(new Map());
    expect(environment).toEqual({ OTHER: "1" });
    expect(new ServiceManager({ LISTEN_PID: "1", LISTEN_FDS: "x" }).kept).toEqual(new Map());
    for (const count of ["-1", "x", "1.5", "1e9"])
      expect(() => new ServiceManager({ LISTEN_PID: "7", LISTEN_FDS: count }, 7)).toThrow(
        expect.objectContaining({ code: "GATE_FAILED" }),
      );
  });
});
