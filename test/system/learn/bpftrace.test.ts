import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";
import { BIN, mountTracefs, needsGate, needsTracefs, outputOf, Site } from "../gate/site.js";

/** bpftrace compiles the process id of what it starts, `cpid`, into the program: no two runs load the same. */
const PROGRAM = "tracepoint:syscalls:sys_enter_exit_group /pid == cpid/ { @ = count(); }";

/** Programs that bpftrace makes anew in each run. */
describe("what is learnt from bpftrace", () => {
  let site: Site;
  let bpftrace: string;
  let skipReason: string | null;

  beforeAll(() => {
    site = new Site("export const bpf_prog_load = () => 0;");
    site.write("countersign.yaml", config("audit", "policy.js", "log.jsonl"));
    const run = spawnSync(process.execPath, [own("scripts/bpftrace.mjs"), site.folder], { encoding: "utf8" });
    bpftrace = run.stdout.trim();
    skipReason = run.status === 0 ? null : bpftrace;
    mountTracefs();
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    if (skipReason !== null) context.skip(skipReason);
    needsTracefs(context);
  });

  /** With a log for what is learnt from, or for what is enforced. */
  const config = (mode: string, policy: string, log: string, more = "") =>
    `version: 1\nmode: ${mode}\nlog: { file: ${log}, level: inputs }\n${more}` +
    `attachments: [{ policy: ${policy}, limits: { timeout: 10s } }]\n`;
  const trace = () => site.run(bpftrace, "-e", PROGRAM, "-c", "/bin/true");
  const learn = (...words: readonly string[]) =>
    site.bare(process.execPath, BIN, "learn", ...words, join(site.folder, "log.jsonl"));

  it("by digest is named, with effects proposed", () => {
    for (let run = 0; run < 2; run += 1) outputOf(trace());
    const said = outputOf(learn("--out", join(site.folder, "learnt")));
    expect(said).toMatch(
      /their digests differ from run to run, .* learn them with --by effects:\n {2}\S+ \(tracepoint\) of .*bpftrace: 2 digests/,
    );
  });

  it.each([
    ["effects", true],
    ["digest", false],
  ] as const)("by %s allows the next run: %s", (by, isAllowed) => {
    const { stdout } = learn("--by", by, "--out", join(site.folder, "learnt"));
    expect(stdout.includes("differ from run to run")).toBe(!isAllowed);
    const maps = "maps: { learnt_programs: { file: learnt/maps/learnt-programs.json } }\n";
    site.write("countersign.yaml", config("enforce", "learnt/policies/learnt.js", "enforced.jsonl", maps));
    const run = trace();
    site.write("countersign.yaml", config("audit", "policy.js", "log.jsonl"));
    expect(run.status === 0, run.stderr).toBe(isAllowed);
  });
});
