import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Figure, Missing, Row } from "./row.js";

export const title = "Commands, from nothing to their end";

/** Whole processes: what a person waits for, or a build that checks one object at a time. */
export function rows(): (Row | Figure | Missing)[] {
  // rows run from bench/node_modules/.rows
  const command = fileURLToPath(new URL("../../../bin/countersign.js", import.meta.url));
  const folder = join(mkdtempSync(join(tmpdir(), "countersign-bench-")), "demo");
  const node = (...words: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
    if (status !== 0) throw new Error(`node ${words.join(" ")}: ${stderr}`);
  };
  node(command, "init", folder);
  const check = [command, "check", "--config", join(folder, "countersign.yaml"), join(folder, "program.o")];
  return [
    { name: "node -e 0", run: () => node("-e", "0") },
    {
      name: "countersign check program.o",
      note: "one signed object, configuration, keyring, policy and log",
      run: () => node(...check),
      asked: [{ of: "node -e 0", atMost: 3 }],
    },
    resolving(command),
    linting(command),
  ];
}

const KERNEL = "/sys/kernel/btf/vmlinux";
const SAMPLES = 9;

/** The digests of all tools on one kernel, from the executables that embed their objects. */
function resolving(command: string): Figure | Missing {
  const name = "countersign resolve --json, every tool of libbpf-tools";
  const tools = installedTools();
  if (tools === null || !existsSync(KERNEL)) return { name, missing: `needs libbpf-tools and ${KERNEL}` };
  const times = Array.from({ length: SAMPLES }, () => {
    const start = performance.now();
    const run = spawnSync(process.execPath, [command, "resolve", "--json", "--btf", KERNEL, ...tools], {
      maxBuffer: 1 << 28,
    });
    // Some tools choose their attach target when they start, so that it is missing in their objects.
    if (run.status !== 0 && run.status !== 2) throw new Error(String(run.stderr));
    return performance.now() - start;
  });
  const median = times.sort((a, b) => a - b)[SAMPLES >> 1]!;
  return { name, figure: median, unit: "ms", note: `${tools.length} executables`, limit: 3000 };
}

/** What `lint` of one policy without types takes longer than the shortest command. The two alternate. */
function linting(command: string): Figure {
  const policy = fileURLToPath(new URL("../../../policies/allow-unsigned-tc.js", import.meta.url));
  const time = (...words: string[]) => {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [command, ...words], { encoding: "utf8" });
    if (status !== 0) throw new Error(`countersign ${words.join(" ")}: ${stderr}`);
    return performance.now() - start;
  };
  const more = Array.from({ length: 3 * SAMPLES }, () => time("lint", policy) - time("--version"));
  const median = more.sort((a, b) => a - b)[more.length >> 1]!;
  const name = "countersign lint POLICY, more than countersign --version";
  return { name, figure: median, unit: "ms", note: "one policy, alone, without types", limit: 100 };
}

function installedTools(): readonly string[] | null {
  try {
    const files = execFileSync("dpkg", ["-L", "libbpf-tools"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return files.split("\n").filter((path) => /\/sbin\/./.test(path) && statSync(path).isFile());
  } catch {
    return null;
  }
}
