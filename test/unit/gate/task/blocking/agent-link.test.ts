import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ERRNO } from "../../../../../src/errno.js";
import { type AgentLink, askAgent } from "../../../../../src/gate/task/blocking/agent-link.js";
import { close } from "../../../../../src/sys/pidfd.js";
import { eventFd } from "../../../../../src/sys/poll.js";
import { accept, bindTo, listenOn, newSocket, receiveWithFds } from "../../../../../src/sys/socket.js";

/** The calls that change this thread for good. `listener` is what the kernel returns for the filter. */
const made = vi.hoisted(() => ({ calls: [] as string[], listener: -1 }));
vi.mock("../../../../../src/sys/seccomp.js", () => ({
  installFilter: ({ byteLength }: Uint8Array) => {
    made.calls.push(`filter of ${byteLength} bytes`);
    return made.listener;
  },
}));
vi.mock("../../../../../src/sys/process.js", () => ({ refuseNewPrivileges: () => made.calls.push("no_new_privs") }));

describe("a thread that asks the agent", () => {
  let folder: string;
  let link: AgentLink;
  let socket: number;
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    folder = mkdtempSync(join(tmpdir(), "countersign-agent-link-"));
    link = { socket: join(folder, "agent.sock"), state: '{"pid":1}', filter: new Uint8Array(32), mayFilter: true };
    made.calls = [];
    made.listener = eventFd();
    socket = newSocket();
  });
  afterEach(() => {
    close(socket);
    rmSync(folder, { recursive: true });
  });
  const listen = () => {
    expect(bindTo(socket, link.socket)).toBe(0);
    expect(listenOn(socket)).toBe(0);
  };

  it("sends the listener of its filter with the state", () => {
    listen();
    expect(askAgent(link)).toBe(true);
    expect(made.calls).toEqual(["filter of 32 bytes"]);
    const connection = accept(socket);
    const room = new Uint8Array(100);
    const { length, fds } = receiveWithFds(connection, room);
    expect(Buffer.from(room.subarray(0, length)).toString()).toBe(link.state);
    expect(fds).toHaveLength(1);
    expect(receiveWithFds(connection, room).length).toBe(0);
    for (const fd of [...fds, connection]) close(fd);
  });

  it("refuses new privileges if it may not install a filter otherwise", () => {
    listen();
    expect(askAgent({ ...link, mayFilter: false })).toBe(true);
    expect(made.calls).toEqual(["no_new_privs", "filter of 32 bytes"]);
  });

  it("installs no filter if there is no agent any more", () => {
    expect(askAgent(link)).toBe(false);
    expect(bindTo(socket, link.socket)).toBe(0);
    expect(askAgent(link)).toBe(false);
    expect(made.calls).toEqual([]);
  });

  it.each([
    ["has a filter with a listener", -ERRNO.EBUSY, /cannot be installed: EBUSY/],
    ["is too long a path", 0, /cannot be reached: EINVAL/],
  ])("fails if it %s", (_, listener, message) => {
    listen();
    if (listener < 0) made.listener = listener;
    const given = listener < 0 ? link : { ...link, socket: `/${"s".repeat(200)}` };
    expect(() => askAgent(given)).toThrow(
      expect.objectContaining({ code: "GATE_FAILED", message: expect.stringMatching(message), place: given.socket }),
    );
  });
});
