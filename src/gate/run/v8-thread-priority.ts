import { readdirSync } from "node:fs";
import { setPriority } from "node:os";
import { capabilities } from "../../sys/credentials.js";

/**
 * Nice value of V8's threads (nice(2)), and the time for which they have it, in milliseconds: most commands have made
 * their first calls by then.
 */
const NICE = 15;
const FOR = 300;
const CAP_SYS_NICE = 23n;

/**
 * Lowers the priority of V8's compiler and garbage collector threads while a command starts. They would take CPU time
 * from the launcher, the decision thread and the command, which wait for each other, and their results are needed only
 * later. Call this before the process starts threads of its own, which would be lowered too. Does nothing without
 * CAP_SYS_NICE, because the priority could not be restored, and on a busy machine a thread that waits for V8's threads
 * would wait long. Returns a function that restores the priority at once.
 */
export function lowerV8ThreadPriority(): () => void {
  if (((capabilities().effective >> CAP_SYS_NICE) & 1n) === 0n) return () => undefined;
  const threads = readdirSync("/proc/self/task")
    .map(Number)
    .filter((tid) => tid !== process.pid);
  const place = (nice: number) => {
    for (const tid of threads) setThreadPriority(tid, nice);
  };
  place(NICE);
  const timer = setTimeout(place, FOR, 0).unref();
  return () => {
    clearTimeout(timer);
    place(0);
  };
}

/** setpriority(2) accepts a thread id on Linux. */
function setThreadPriority(tid: number, nice: number): void {
  try {
    setPriority(tid, nice);
  } catch {
    // the thread has ended, or its priority may not be changed
  }
}
