import { readFileSync } from "node:fs";

/** The process that may write tickets. */
export interface AgentProcess {
  readonly pid: number;
  /** Field 22 of its /proc/PID/stat, in clock ticks since the boot; 0 if the loader could not read it. */
  readonly start: bigint;
}

/** Whether the process still runs. Another one with its id has another time of start. */
export function isRunning({ pid, start }: AgentProcess, procfs = "/proc"): boolean {
  try {
    const stat = readFileSync(`${procfs}/${pid}/stat`, "latin1");
    // the second field, the name, may have spaces and parentheses
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return BigInt(fields[START - FIRST]!) === start && !ENDED.has(fields[0]!);
  } catch {
    return false;
  }
}

/** Numbers of fields as proc_pid_stat(5) counts: `starttime`, and the first one after the name, the state. */
const START = 22;
const FIRST = 3;
/** States of a process that has ended: zombie, and dead. */
const ENDED: ReadonlySet<string> = new Set(["Z", "X"]);
