import { readdirSync, writeFileSync } from "node:fs";

/** More nanoseconds than a gate lives: time-outs of the thread do not end by themselves any more (proc(5)). */
const CENTURY = "4000000000000000000";

/**
 * The words that set the timer slack of all threads of their parent, and then execute a command: as root inside, which
 * needs CAP_SYS_NICE for that. Threads that start later inherit it.
 */
export const withSlack = (...command: readonly string[]): readonly string[] => [
  "sh",
  "-c",
  `for thread in /proc/$PPID/task/*; do echo ${CENTURY} > /proc/\${thread##*/}/timerslack_ns || exit 9; done; exec "$@"`,
  "sh",
  ...command,
];

/** Sets the timer slack of all threads of a process, as root of a container in the same pid namespace can. */
export function stretchTimeouts(pid: number): void {
  for (const thread of readdirSync(`/proc/${pid}/task`)) writeFileSync(`/proc/${thread}/timerslack_ns`, CENTURY);
}
