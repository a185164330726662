import { readFileSync, writeFileSync } from "node:fs";
import { readSmall } from "../../sys/file.js";
import { clearMemory, refuseDumps } from "../../sys/process.js";

/** Milliseconds between two checks of {@link RESTORED}. */
const INTERVAL = 1000;

/**
 * Files of the gate in /proc that root inside can write without notifying the gate, and how to restore what they say.
 * The other files that it can write change nothing of the gate that lasts, which test/system/gate/proc-files.test.ts
 * shows for each of them.
 */
const RESTORED: readonly { readonly path: string; readonly setting: (text: string) => string | undefined }[] = [
  { path: "/proc/self/oom_score_adj", setting: (text) => text.trim() },
  // that of the main thread; limits do not depend on it (sys/timer-fd.ts), but an idle gate wakes up late
  { path: "/proc/self/timerslack_ns", setting: (text) => text.trim() },
  // "/autogroup-N nice M" (sched(7)): the nice value of all processes of the session
  { path: "/proc/self/autogroup", setting: (text) => / nice (-?\d+)/.exec(text)?.[1] },
];

/**
 * Protects the gate's files in /proc from the command. Root owns them from now on, so the command of an ordinary user
 * has no access (PR_SET_DUMPABLE of prctl(2)). They no longer contain the environment. And if root changes one of
 * {@link RESTORED}, the old value is restored within a second. Call this after {@link inheritance} has read the
 * environment. Returns a function that restores for the last time.
 */
export function protectGate(): () => void {
  forgetEnvironment();
  refuseDumps();
  const restores = RESTORED.map(({ path, setting }) => {
    const current = () => setting(readSmall(path) ?? "");
    const before = current();
    return () => {
      if (before !== undefined && current() !== before) write(path, before);
    };
  });
  const restore = () => {
    for (const each of restores) each();
  };
  const timer = setInterval(restore, INTERVAL).unref();
  return () => {
    clearInterval(timer);
    restore();
  };
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch {
    // no permission to write the file or to lower the value; then the changed value stays
  }
}

/**
 * Overwrites the environment strings that execve(2) put on the stack, which /proc/PID/environ shows. First sets all
 * variables again, which copies them to the heap, so that getenv(3) still finds them.
 */
function forgetEnvironment(): void {
  for (const [name, value] of Object.entries(process.env)) process.env[name] = value;
  const stat = readFileSync("/proc/self/stat", "latin1");
  // env_start and env_end are fields 50 and 51 of proc_pid_stat(5); the first field after the name is field 3
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [start, end] = [Number(fields[50 - 3]), Number(fields[51 - 3])];
  if (start > 0 && end > start) clearMemory(start, end - start);
}
