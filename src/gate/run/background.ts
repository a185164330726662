import { readdirSync } from "node:fs";
import { setPriority } from "node:os";
import { capabilities } from "../sys/credentials.js";

/** How far V8's threads stand back (nice(2)); and for how many milliseconds: until a command has usually made its first calls. */
const BACK = 15;
const FOR = 1000;
const CAP_SYS_NICE = 23n;

/**
 * Has the threads in which V8 compiles and collects stand back while a command starts: they would take the CPUs from the launcher, the
 * decision thread and the command, who wait for each other, and what they compile is only wanted later. To be asked before
 * this process has other threads of its own. Nothing where they could not be brought forward again: on a busy machine a
 * thread that has to wait for them would wait long. Gives a function that ends it at once.
 */
export function standBack(): () => void {
  if (((capabilities().effective >> CAP_SYS_NICE) & 1n) === 0n) return () => undefined;
  const threads = readdirSync("/proc/self/task")
    .map(Number)
    .filter((tid) => tid !== process.pid);
  const place = (nice: number) => {
    for (const tid of threads) placeThread(tid, nice);
  };
  place(BACK);
  const timer = setTimeout(place, FOR, 0).unref();
  return () => {
    clearTimeout(timer);
    place(0);
  };
}

/** For Linux a thread's id is as good as a process's here (setpriority(2)). */
function placeThread(tid: number, nice: number): void {
  try {
    setPriority(tid, nice);
  } catch {
    // it has ended, or may not be changed: then it is in the way, as it would have been
  }
}
