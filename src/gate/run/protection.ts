import { readFileSync, writeFileSync } from "node:fs";
import { readSmall } from "../../sys/file.js";
import { clearMemory, refuseDumps } from "../../sys/process.js";

/** Milliseconds between two checks of `oom_score_adj`, which a command can change without notifying the gate. */
const INTERVAL = 1000;
const OOM_SCORE = "/proc/self/oom_score_adj";

/**
 * Protects the gate's files in /proc from the command. Root owns them from now on, so the command of an ordinary user
 * has no access (PR_SET_DUMPABLE of prctl(2)). They no longer contain the environment. And if root changes
 * `oom_score_adj`, the old value is restored within a second. Call this after {@link inheritance} has read the
 * environment. Returns a function that stops the restoring.
 */
export function protectGate(): () => void {
  const score = readSmall(OOM_SCORE);
  forgetEnvironment();
  refuseDumps();
  const timer = setInterval(() => restoreScore(score), INTERVAL).unref();
  return () => clearInterval(timer);
}

function restoreScore(score: string | null): void {
  if (score === null || readSmall(OOM_SCORE) === score) return;
  try {
    writeFileSync(OOM_SCORE, score);
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
