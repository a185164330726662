import { readFileSync, writeFileSync } from "node:fs";
import { readSmall } from "../sys/file.js";
import { clearMemory, refuseDumps } from "../sys/process.js";

/** Milliseconds between two looks at what a command can change of the gate without a system call that the gate sees. */
const INTERVAL = 1000;
const OOM_SCORE = "/proc/self/oom_score_adj";

/**
 * Keeps a command from what it can do to the gate through /proc: its files become root's, so that a command of an
 * ordinary user has no access to them; the environment is no longer in them; and what root writes to `oom_score_adj`
 * lasts for a second at most. To be called once the environment has been read for the command. Gives a function that
 * ends it.
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
    // another user's file, or less than the gate may choose: then the command may choose it as well
  }
}

/**
 * Overwrites the strings that execve(2) put on the stack, which /proc/PID/environ shows. The variables are set again
 * first, so that getenv(3) finds them elsewhere.
 */
function forgetEnvironment(): void {
  for (const [name, value] of Object.entries(process.env)) process.env[name] = value;
  const stat = readFileSync("/proc/self/stat", "latin1");
  // fields 50 and 51 of proc_pid_stat(5); the third one is the first behind the name
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [start, end] = [Number(fields[50 - 3]), Number(fields[51 - 3])];
  if (start > 0 && end > start) clearMemory(start, end - start);
}
