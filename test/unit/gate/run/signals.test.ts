import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommandProcess } from "../../../../src/gate/run/command-process.js";
import { passSignals } from "../../../../src/gate/run/signals.js";

const FORWARDED = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT"] as const;
/** Signals that a terminal sends to the command as well, if this process is in its foreground group. */
const FROM_TERMINAL = ["SIGINT", "SIGQUIT", "SIGTSTP"] as const;
const ALL = [...FORWARDED, ...FROM_TERMINAL, "SIGCHLD"] as const;

/** The part of the command's process that passes signals on. */
class SignalledCommand {
  readonly received: NodeJS.Signals[] = [];
  stop: number | null = null;

  signal(signal: NodeJS.Signals): void {
    this.received.push(signal);
  }

  takeStop(): number | null {
    const { stop } = this;
    this.stop = null;
    return stop;
  }
}

describe("signals of a gate with a command", () => {
  /** Other test files of this process may have handlers, and remove them while this one runs. */
  let before: ReadonlyMap<string, number>;
  let stopPassing: () => void = () => undefined;
  beforeEach((context) => {
    if (process.platform !== "linux") context.skip("needs Linux");
    before = new Map(ALL.map((signal) => [signal, process.listenerCount(signal)]));
  });
  afterEach(() => stopPassing());
  const passing = () => {
    const command = new SignalledCommand();
    stopPassing = passSignals(command as unknown as CommandProcess);
    return command;
  };

  it.each(FORWARDED)("go on to the command: %s", (signal) => {
    const command = passing();
    process.emit(signal, signal);
    expect(command.received).toEqual([signal]);
  });

  it.each(FROM_TERMINAL)("go on to the command unless the terminal sent it: %s", (signal) => {
    const command = passing();
    process.emit(signal, signal);
    const stat = readFileSync("/proc/self/stat", "latin1");
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    expect(command.received).toEqual(group === foreground ? [] : [signal]);
  });

  it("stop the gate with the command, and by the signal that stopped that", async () => {
    const command = passing();
    process.emit("SIGCHLD", "SIGCHLD");
    expect(command.received).toEqual([]);
    const received = new Promise((resolve) => process.once("SIGWINCH", resolve));
    command.stop = 28; // a signal that does not stop the test
    process.emit("SIGCHLD", "SIGCHLD");
    expect(await received).toBe("SIGWINCH");
    expect(process.listenerCount("SIGTSTP")).toBe(before.get("SIGTSTP")! + 1);
  });

  it("do not continue a command that was stopped again since it was continued", async () => {
    const command = passing();
    const received = new Promise((resolve) => process.once("SIGWINCH", resolve));
    command.stop = 28;
    process.emit("SIGCONT", "SIGCONT");
    expect(await received).toBe("SIGWINCH");
    expect(command.received).toEqual([]);
    process.emit("SIGCONT", "SIGCONT");
    expect(command.received).toEqual(["SIGCONT"]);
  });

  it("have their own actions again afterwards", () => {
    passing();
    for (const signal of ALL) expect(process.listenerCount(signal)).toBe(before.get(signal)! + 1);
    stopPassing();
    for (const signal of ALL) expect(process.listenerCount(signal)).toBe(before.get(signal));
  });
});
