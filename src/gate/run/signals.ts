import { readSmall } from "../sys/file.js";
import type { CommandProcess } from "./command-process.js";

/** Signals that whoever sends them to the gate means for the command. */
const FORWARDED: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT"];
/** Signals that a terminal sends to the whole foreground group, the command in it. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT", "SIGTSTP"];

/**
 * Makes the gate transparent to signals until the function that it gives is called: the gate outlives the command whatever
 * the terminal sends, passes on what was sent to it alone, and stops when and as the command stops, so that a shell's job
 * control sees one job.
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
  handlers.set("SIGCHLD", () => {
    const signal = command.takeStop();
    if (signal !== null) stop(signal);
  });
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

/** Whether the gate's process group has the terminal: fields 5 (pgrp) and 8 (tpgid) of proc_pid_stat(5), after the name. */
function inForeground(): boolean {
  const stat = readSmall("/proc/self/stat") ?? "";
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return group !== undefined && group === foreground;
}
