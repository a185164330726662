import { readlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { CommandProcess } from "../../../../src/gate/run/command-process.js";
import { NR } from "../../../../src/sys/numbers.js";
import { filteredProcess, programFile } from "../../../support/filtered-process.js";

const CLOSE_NOTHING = [NR.close, 9999] as const;

describe("the process that becomes the command", () => {
  it("hands over its listener, and executes the command only when it is told to", async (context) => {
    const { command, listener } = await filteredProcess(context, [programFile(CLOSE_NOTHING)]);
    expect(readlinkSync(`/proc/self/fd/${listener}`)).toBe("anon_inode:seccomp notify");
    expect(readlinkSync(`/proc/${command.pid}/exe`)).toBe(process.execPath);
    command.go();
    expect(await command.ended).toEqual({ code: ERRNO.EBADF, signal: null });
  });

  it("fails calls of which its filter notifies with ENOSYS once the listener is closed", async (context) => {
    const { command, close } = await filteredProcess(context, [programFile([NR.bpf, 0, 0, 0])]);
    close();
    command.go();
    expect(await command.ended).toEqual({ code: ERRNO.ENOSYS, signal: null });
  });

  it("ends by a signal that was sent to it", async (context) => {
    const { command } = await filteredProcess(context, [programFile(CLOSE_NOTHING)]);
    expect(command.takeStop()).toBeNull();
    command.signal("SIGTERM");
    expect(await command.ended).toEqual({ code: null, signal: "SIGTERM" });
  });

  it.each(["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const)(
    "ends by a signal that comes before it executes the command: %s",
    async (signal) => {
      if (process.platform !== "linux" || process.arch !== "x64") return;
      const command = new CommandProcess([Buffer.from("true")], { openFiles: 0, fds: [], environment: [] }, "audit");
      expect(command.interruption).toBeNull();
      command.signal(signal);
      expect(await command.ended).toEqual({ code: null, signal });
      expect(command.interruption).toBe(signal);
    },
  );

  it.for<[string, string, number]>([
    ["is not there", "/nowhere/command", 127],
    ["is in no folder of PATH", "countersign-no-such-command", 127],
    ["is a folder", "/", 126],
  ])("exits like a shell if the command %s", async ([, word, code], context) => {
    const { command } = await filteredProcess(context, [word]);
    command.go();
    expect(await command.ended).toEqual({ code, signal: null });
  });

  it("fails with its launcher if that ends before it has a listener", async (context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    const command = new CommandProcess([Buffer.from("true")], { openFiles: 0, fds: [], environment: [] }, "audit");
    command.kill();
    await expect(command.listener()).rejects.toMatchObject({
      code: "GATE_FAILED",
      message: expect.stringContaining("the launcher of the command could not be set up"),
    });
    expect(await command.ended).toEqual({ code: null, signal: "SIGKILL" });
  });
});
