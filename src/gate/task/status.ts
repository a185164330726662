/** The lines of /proc/TID/status that the gate reads (proc_pid_status(5)). */
export interface Status {
  readonly tgid: number;
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** Returns null if a line is missing or not a number. The file of a task that has exited reads as empty. */
export function parseStatus(text: string): Status | null {
  const line = (name: string) => new RegExp(`^${name}:\\t(.*)$`, "m").exec(text)?.[1]?.split("\t").map(Number) ?? [];
  const [tgid] = line("Tgid");
  const [uid, euid] = line("Uid");
  const [gid, egid] = line("Gid");
  const words = /^Groups:\t(.*)$/m.exec(text)?.[1]?.trim();
  if (words === undefined || tgid === undefined) return null;
  if (uid === undefined || euid === undefined || gid === undefined || egid === undefined) return null;
  const status = { tgid, uid, euid, gid, egid, groups: words === "" ? [] : words.split(/\s+/).map(Number) };
  const { groups, ...numbers } = status;
  return [...Object.values(numbers), ...groups].every((value) => Number.isInteger(value) && value >= 0) ? status : null;
}
