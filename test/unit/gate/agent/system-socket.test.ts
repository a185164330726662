import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CountersignError } from "../../../../src/error.js";
import { AgentSocket } from "../../../../src/gate/agent/agent-socket.js";
import { SystemSocket } from "../../../../src/gate/agent/system-socket.js";
import { connectTo } from "../../../../src/sys/socket.js";

const isHere = process.platform === "linux" && process.arch === "x64";

/** The first process's root directory is this folder. */
const root = vi.hoisted(() => ({ folder: "" }));
vi.mock("../../../../src/gate/agent/system-root.js", async (original) => ({
  ...(await original<object>()),
  systemPath: (path: string) => `${root.folder}${path}`,
}));

describe.skipIf(!isHere)("the socket of a sealed machine's agent", () => {
  let socket: SystemSocket | null = null;
  const said: CountersignError[] = [];

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    root.folder = mkdtempSync(join(tmpdir(), "countersign-system-"));
    said.length = 0;
  });
  afterEach(() => {
    socket?.close();
    vi.useRealTimers();
    rmSync(root.folder, { recursive: true, force: true });
  });

  const path = () => join(root.folder, "run/countersign/agent.sock");
  const start = () => {
    const open = (at: string) => AgentSocket.open(at, () => undefined);
    socket = new SystemSocket("/run/countersign/agent.sock", open, (error) => said.push(error));
  };

  it("is bound in a folder that is created", () => {
    start();
    expect(connectTo(path())).toBe(0);
    expect(said).toEqual([]);
  });

  it("is bound again once another file system hides it, or its folder is gone", () => {
    start();
    rmSync(join(root.folder, "run"), { recursive: true });
    vi.runOnlyPendingTimers();
    expect(connectTo(path())).toBe(0);
    expect(said).toEqual([]);
  });

  it("says nothing of an error that the next look does not see again", () => {
    writeFileSync(join(root.folder, "run"), "a file");
    start();
    rmSync(join(root.folder, "run"));
    vi.runOnlyPendingTimers();
    expect(connectTo(path())).toBe(0);
    expect(said).toEqual([]);
  });

  it("says once why it cannot be bound, and is bound when it can", () => {
    writeFileSync(join(root.folder, "run"), "a file");
    start();
    vi.runOnlyPendingTimers();
    vi.runOnlyPendingTimers();
    expect(said).toEqual([expect.objectContaining({ code: "SOCKET_UNUSABLE", place: path() })]);
    rmSync(join(root.folder, "run"));
    mkdirSync(join(root.folder, "run"));
    vi.runOnlyPendingTimers();
    expect(connectTo(path())).toBe(0);
  });
});
