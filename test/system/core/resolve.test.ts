import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { own, Workplace } from "../../support/workplace.js";
import { needsTracefs } from "../gate/site.js";

const VMLINUX = "/sys/kernel/btf/vmlinux";

/** The programs of libbpf-tools, without those that are links to others; or what this machine lacks. */
function tools(): readonly string[] | string {
  if (!existsSync(VMLINUX)) return `needs a kernel with ${VMLINUX}`;
  try {
    const files = execFileSync("dpkg", ["-L", "libbpf-tools"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return files.split("\n").filter((path) => /\/sbin\/./.test(path) && statSync(path).isFile());
  } catch {
    return "needs libbpf-tools";
  }
}

const installed = tools();

const countersign = (...words: string[]) =>
  spawnSync(process.execPath, [own("bin/countersign.js"), ...words], { encoding: "utf8", maxBuffer: 1 << 28 });

interface Program {
  readonly name: string;
  readonly digest: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A record of the decision log. */
interface LoadRecord {
  readonly hook: string;
  readonly verdict: number;
  readonly loader_probe?: string | null;
  readonly subject: { readonly name: string };
}

describe("resolve and list on the running kernel", () => {
  it("resolve every program of libbpf-tools, with the same digests", (context) => {
    if (typeof installed === "string") return context.skip(installed);
    const resolved = countersign("resolve", "--json", ...installed);
    const files: readonly { readonly objects: readonly { sha256: string; programs: readonly Program[] }[] }[] =
      JSON.parse(resolved.stdout);
    const objects = new Map(files.flatMap((file) => file.objects).map((object) => [object.sha256, object.programs]));
    const programs = [...objects.values()].flat();
    const without = (code: string) => programs.filter(({ error }) => error?.code === code);
    const digests = new Set(programs.flatMap(({ digest }) => digest ?? []));
    console.log(
      `libbpf-tools: ${objects.size} distinct objects, ${programs.length} programs, ${digests.size} digests, ` +
        `${without("CORE_UNRESOLVED").length} without attach target, ` +
        `${without("KERNEL_LACKS").length} that use what the kernel lacks`,
    );
    expect(programs.length).toBeGreaterThan(300);
    expect(programs.filter(({ digest }) => digest === null)).toEqual([]);
    for (const { error } of programs)
      if (error !== null) expect(`${error.code} ${error.message}`).toMatch(/has no attach target|^KERNEL_LACKS/);

    const listed = countersign("list", ...installed);
    expect(listed.status).toBe(0);
    expect(new Set(Object.keys(JSON.parse(listed.stdout)))).toEqual(digests);
  });

  it("give the gate the list with which a tool runs, and without which it does not", (context) => {
    if (typeof installed === "string") return context.skip(installed);
    if (process.getuid?.() !== 0) return context.skip("needs root");
    needsTracefs(context);
    const place = new Workplace(
      "  - policy: policies/hash-allow-list.js\n    limits: { timeout: 10s }",
      "maps: { allowed_programs: { file: a.json } }\nlog: { file: decisions.jsonl }",
    );
    place.policy("hash-allow-list.js");
    const tool = installed.find((path) => /\/execsnoop(?:-libbpf)?$/.test(path)) as string;
    const log = place.at("decisions.jsonl");
    /**
     * Runs the tool until it has printed its header, which it does once its programs are attached, or until it has
     * ended. The shell has a background process ignore SIGINT.
     */
    const script =
      'stdbuf -oL "$0" >"$1" & ' +
      'while kill -0 $! && ! grep -qs PCOMM "$1"; do sleep 0.1; done 2>/dev/null; kill -TERM $! 2>/dev/null; wait $!';
    /** Each run has files of its own: the shell may look for the header before its child has emptied an older file. */
    const run = (name: string, list: string) => {
      place.write("a.json", list);
      rmSync(log, { force: true });
      const shown = place.at(name);
      const { status } = countersign("run", "--config", place.config, "--", "sh", "-c", script, tool, shown);
      const records: readonly LoadRecord[] = readFileSync(log, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const loads = records
        .filter(({ hook, loader_probe: probe }) => hook === "bpf_prog_load" && !probe)
        .map(({ subject, verdict }) => [subject.name, verdict]);
      return { status, hasHeader: readFileSync(shown, "utf8").includes("PCOMM"), loads };
    };
    const [enter, exit] = ["tracepoint__syscalls__sys_enter_execve", "tracepoint__syscalls__sys_exit_execve"];
    expect(run("allowed", countersign("list", tool).stdout)).toEqual({
      ...{ status: 128 + constants.signals.SIGTERM, hasHeader: true },
      loads: [
        [enter, 0],
        [exit, 0],
      ],
    });
    // libbpf loads a program that was denied once more, to get the verifier's log
    expect(run("denied", "{}")).toEqual({
      ...{ status: 1, hasHeader: false },
      loads: [
        [enter, -1],
        [enter, -1],
      ],
    });
  });
});
