import { readSmall } from "./sys/file.js";

/**
 * The soft limit of open files that the command is to have: node raises its own to the hard limit as it starts, so it is
 * that of whoever started the gate, if the hard limit is the same. 0 where it cannot be told.
 */
export function originalOpenFiles(): number {
  const [, hard] = limits("self");
  const [soft, theirs] = limits(process.ppid);
  return hard !== undefined && theirs === hard ? (soft ?? 0) : 0;
}

/** `Max open files            1024                 524288               files` */
function limits(pid: number | "self"): number[] {
  const line = /^Max open files +(\d+) +(\d+) /m.exec(readSmall(`/proc/${pid}/limits`) ?? "");
  return line === null ? [] : [Number(line[1]), Number(line[2])];
}
