import type { CommandProcess } from "./command-process.js";

/** Signals that whoever sends them to the gate means for the command. */
const FORWARDED: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT"];
/** Signals that the terminal sends to the whole foreground group, the command in it. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

/**
 * Makes the gate transparent to signals until the function that it gives is called: the gate outlives the command whatever
 * the terminal sends, passes on what was sent to it alone, and stops when the command stops, so that a shell's job control
 * sees one job.
 */
export function passSignals(command: CommandProcess): () => void {
  const handlers = new Map<NodeJS.Signals, () => void>();
  for (const signal of FORWARDED) handlers.set(signal, () => command.signal(signal));
  const interactive = process.stdin.isTTY === true || process.stderr.isTTY === true;
  for (const signal of FROM_TERMINAL) handlers.set(signal, () => (interactive ? undefined : command.signal(signal)));
  handlers.set("SIGCHLD", () => {
    if (command.hasStopped()) process.kill(process.pid, "SIGSTOP");
  });
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
