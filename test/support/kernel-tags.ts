/** What tags the kernel gives to programs that bpftool loads from objects. */
import { spawnSync } from "node:child_process";

/** Loads objects, in a mount namespace of its own, so that what gets pinned is gone with it. */
const SCRIPT = `
mount -t bpf bpf /sys/fs/bpf || exit 9
for object in "$@"; do
  if bpftool prog loadall "$object" /sys/fs/bpf/programs >/dev/null 2>&1; then
    for pin in /sys/fs/bpf/programs/*; do
      echo "$object $(basename "$pin") $(bpftool prog show pinned "$pin" | sed -n 's/.* tag \\([0-9a-f]*\\).*/\\1/p')"
    done
  fi
  rm -rf /sys/fs/bpf/programs
done
`;

/**
 * For each path that could be loaded whole: program name to tag. An object is not among them where this kernel lacks
 * what one of its programs attaches to. Gives the reason instead where no BPF can be loaded at all.
 */
export function kernelTags(paths: readonly string[]): ReadonlyMap<string, ReadonlyMap<string, string>> | string {
  if (process.getuid?.() !== 0) return "needs root to load BPF";
  const run = spawnSync("unshare", ["-m", "sh", "-c", SCRIPT, "sh", ...paths], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (run.status !== 0) return `needs a BPF filesystem: ${run.error?.message ?? run.stderr.trim()}`;
  const found = new Map<string, Map<string, string>>();
  for (const line of run.stdout.split("\n").filter(Boolean)) {
    const [path, program, tag] = line.split(" ") as [string, string, string];
    const programs = found.get(path) ?? new Map<string, string>();
    found.set(path, programs.set(program, tag));
  }
  return found.size > 0 ? found : "needs a kernel that lets root load BPF";
}

/** What the verifier says of the stack: bytes of each function of a program, by path and program. */
export function kernelStacks(paths: readonly string[]): ReadonlyMap<string, ReadonlyMap<string, readonly number[]>> {
  const script = `
mount -t bpf bpf /sys/fs/bpf || exit 9
for object in "$@"; do
  echo "== $object"
  bpftool -d prog loadall "$object" /sys/fs/bpf/programs 2>&1 | grep -E '^stack depth|BEGIN PROG'
  rm -rf /sys/fs/bpf/programs
done`;
  const run = spawnSync("unshare", ["-m", "sh", "-c", script, "sh", ...paths], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const found = new Map<string, Map<string, number[]>>();
  let [path, program] = ["", ""];
  for (const line of run.stdout.split("\n")) {
    path = /^== (.*)$/.exec(line)?.[1] ?? path;
    program = /^libbpf: prog '(.*)': -- BEGIN/.exec(line)?.[1] ?? program;
    const depths = /^stack depth ([\d+]+)/.exec(line)?.[1];
    if (depths === undefined) continue;
    const programs = found.get(path) ?? new Map<string, number[]>();
    found.set(path, programs.set(program, depths.split("+").map(Number)));
  }
  return found;
}
