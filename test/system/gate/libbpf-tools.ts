import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const FOLDER = "/usr/sbin";
const SUFFIX = "-libbpf";

/** A tool of Debian's libbpf-tools with options, and how it shows that it sees something. */
export interface ToolRun {
  readonly id: string;
  readonly tool: string;
  readonly words: readonly string[];
  /**
   * A regular expression of Python's: a line about what activity.py does; of a tool that sees nothing of it the header.
   */
  readonly shows: string;
  /** The line after which a tool that prints only at its end can be interrupted; empty for other tools. */
  readonly begins: string;
}

/** The tools that are installed, by path. */
export const TOOL_PATHS: readonly string[] = existsSync(FOLDER)
  ? readdirSync(FOLDER)
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => join(FOLDER, name))
  : [];

const HISTOGRAM = "[um]?secs +: count";
/** Of which activity.py uses none. */
const OTHER_FILE_SYSTEMS = ["bcachefs", "btrfs", "f2fs", "nfs", "xfs"];

/** What a signer has to open of a tool: its object names no function, which the tool chooses. */
export const OPENINGS: Readonly<Record<string, readonly string[]>> = {
  [`${FOLDER}/funclatency${SUFFIX}`]: ["dummy_fentry.attach-target", "dummy_fexit.attach-target"],
};

/** Tools that print only at their end, and whose duration can only be given in seconds. */
const AT_END: ReadonlySet<string> = new Set(["biostacks", "offcputime", "profile", "readahead", "wakeuptime"]);

/** By tool: what to look for, and the arguments without which the tool does not begin, or prints only at its end. */
const TOOLS: Readonly<Record<string, readonly [shows: string, ...words: readonly string[]]>> = {
  bashreadline: ["true event"],
  bindsnoop: ["python3"],
  biolatency: [HISTOGRAM, "1"],
  biopattern: ["^[a-z]+[0-9a-z]* +[0-9]+ +[0-9]+ +[0-9]+", "1"],
  biosnoop: ["^[0-9]+\\.[0-9]+ +[^ ]+ "],
  biostacks: [HISTOGRAM],
  biotop: ["^[0-9]+ +[^ ]+ +[RW] ", "-C", "1"],
  bitesize: ["^Process Name = ", "1"],
  cachestat: ["^( +[0-9]+){3} +[0-9.]+%", "1"],
  capable: [" CAP_"],
  cpudist: [HISTOGRAM, "1"],
  drsnoop: ["^TIME +COMM"],
  execsnoop: ["^true +.* event"],
  exitsnoop: ["^true "],
  filelife: ["renamed"],
  filetop: ["(written|renamed)$", "-C", "1"],
  fsdist: ["^operation = ", "-t", "ext4", "1"],
  fsslower: [" written$", "-t", "ext4", "-m", "0"],
  funclatency: ["[un]?sec +: count", "-i", "1", "vfs_read"],
  futexctn: ["contended [0-9]+ times", "1"],
  gethostlatency: ["localhost"],
  hardirqs: ["^[^ ]+ +[0-9]+$", "1"],
  killsnoop: [" python3 "],
  klockstat: ["\\+0x[0-9a-f]+ ", "-i", "1"],
  ksnoop: ["vfs_open\\(", "trace", "vfs_open"],
  llcstat: ["^[0-9]+ +", "1"],
  mdflush: ["^TIME +PID"],
  // each allocation of the kernel would be followed, of all that this machine does
  memleak: [" bytes in [0-9]+ allocations", "-s", "1000", "1"],
  mountsnoop: ["mount\\(.*mounted"],
  numamove: ["^[0-9:]+ +[0-9]+ +[0-9]+"],
  offcputime: ["^ +- +"],
  oomkill: ["OOM kill of PID"],
  opensnoop: ["no-such-file"],
  // it crashes if a process ends while it looks up the names of its functions
  profile: ["^ +- +", "-K"],
  readahead: ["^Readahead unused"],
  runqlat: [HISTOGRAM, "1"],
  runqlen: ["runqlen +: count", "1"],
  runqslower: ["^[0-9:]+ +[^ ]+ +[0-9]+ +[0-9]+", "1"],
  sigsnoop: [" python3 "],
  slabratetop: ["^[^ ]+ +[0-9]+ +[0-9]+$", "-C", "1"],
  softirqs: ["^[a-z_]+ +[0-9]+$", "1"],
  solisten: [" python3 "],
  statsnoop: ["renamed"],
  syncsnoop: [" fsync"],
  syscount: ["^[a-z_0-9]+ +[0-9]+$", "-i", "1"],
  tcpconnect: [" python3 "],
  tcpconnlat: [" python3 "],
  tcplife: [" python3 "],
  tcppktlat: [" python3 "],
  tcprtt: [HISTOGRAM, "-i", "1"],
  tcpstates: [" python3 "],
  tcpsynbl: ["backlog +: count", "1"],
  tcptop: [" python3 ", "-C", "1"],
  tcptracer: [" python3 "],
  vfsstat: ["^[0-9:]+ +[0-9]+ +[0-9]+", "1"],
  wakeuptime: ["target: +"],
  ext4dist: ["^operation = ", "1"],
  ext4slower: [" written$", "-m", "0"],
  ...Object.fromEntries(
    OTHER_FILE_SYSTEMS.flatMap((name) => [
      [`${name}dist`, [`^Tracing ${name} operation latency`, "1"]],
      [`${name}slower`, [`^Tracing ${name} operations slower`]],
    ]),
  ),
};
/** Of tools that are not in the table. */
const ANYTHING = ".";

/** Options that set read-only data, by the option in a tool's help; `pid` is that of activity.py. */
const optionSets = (pid: number): Readonly<Record<string, readonly string[]>> => ({
  "--pid=": ["-p", String(pid)],
  "--uid=": ["-u", "0"],
  "--milliseconds": ["-m"],
});

/** A tool's run without such options, and one with each set of options that it has. */
export function runsOf(path: string, pid: number): readonly ToolRun[] {
  const tool = path.slice(FOLDER.length + 1, -SUFFIX.length);
  const [shows, ...given] = TOOLS[tool] ?? [ANYTHING];
  const { stdout } = spawnSync(path, ["--help"], { encoding: "utf8", timeout: 60_000 });
  const sets = Object.entries(optionSets(pid)).filter(([option]) => stdout.includes(option));
  return [[], ...sets.map(([, words]) => words)].map((options, index) => ({
    id: `${tool}.${index}`,
    tool,
    words: [path, ...options, ...given],
    shows,
    begins: AT_END.has(tool) ? "^(Tracing|Sampling) " : "",
  }));
}
