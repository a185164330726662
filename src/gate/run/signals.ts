import { readSmall } from "../../sys/file.js";
import type { CommandProcess } from "./command-process.js";

/** Signals that are forwarded to the command, because their sender means the command. */
const FORWARDED: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"];
/** Signals that a terminal sends to its whole foreground process group, which includes the command. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT", "SIGTSTP"];

/**
 * Makes the gate transparent to signals until the returned function is called. Signals of the terminal do not end the
 * gate before the command. Signals that were sent only to the gate are forwarded. If a signal stops the command, the
 * gate stops itself with the same signal, so that a shell's job control sees one job.
 */
export function passSignals(command: CommandProcess): () => void {
  const handlers = new Map<NodeJS.Signals, () => void>();
  for (const signal of FORWARDED) handlers.set(signal, () => command.signal(signal));
  for (const signal of FROM_TERMINAL) handlers.set(signal, () => (inForeground() ? undefined : command.signal(signal)));
  const stop = (signal: number) => {
    const handler = handlers.get("SIGTSTP")!;
    process.off("SIGTSTP", handler);
    process.kill(process.pid, signal);
    process.on("SIGTSTP", handler);
  };
  const stopped = () => {
    const signal = command.takeStop();
    if (signal !== null) stop(signal);
    return signal !== null;
  };
  handlers.set("SIGCHLD", stopped);
  // A shell sends SIGCONT to the gate and to the command. If the command was stopped again before the gate handles the
  // signal, forwarding it would undo that stop.
  handlers.set("SIGCONT", () => {
    if (!stopped()) command.signal("SIGCONT");
  });
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

/** Whether the gate is in the terminal's foreground group: pgrp and tpgid, fields 5 and 8 of proc_pid_stat(5). */
function inForeground(): boolean {
  const stat = readSmall("/proc/self/stat") ?? "";
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return group !== undefined && group === foreground;
}
