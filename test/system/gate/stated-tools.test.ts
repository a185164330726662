import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { recordsOf } from "../../support/records.js";
import { own, Workplace } from "../../support/workplace.js";
import { amount } from "../nightly.js";
import { OPENINGS, runsOf, TOOL_PATHS, type ToolRun } from "./libbpf-tools.js";
import { BIN, mountTracefs, needsGate } from "./site.js";
import { activityIn, LIMIT, LONGER, Shell, startActivity, watched } from "./watched-tools.js";

const POLICY = `
import { verify_program } from "countersign";
export const bpf_prog_load = (prog) => verify_program(prog, "platform");
`;
/** Of each tool: the run without options, and those with options in the long form. */
const RUNS = amount(1, Number.POSITIVE_INFINITY);

/** In milliseconds, for all runs of a tool: what they wait for is counted, and not timed. */
const PATIENCE = 1_200_000;

/**
 * Every tool of libbpf-tools, signed once, under a policy that verifies statements and denies all other programs: each
 * shows what it sees, or gives up, as without the gate.
 */
describe("the tools of libbpf-tools, signed as statements", () => {
  const tools = process.getuid?.() === 0 ? TOOL_PATHS : [];
  /** The tools that were run, and the runs that began, with what they showed. */
  const run = new Set<string>();
  const working = new Map<string, string | null>();
  let workplace: Workplace;
  let folder: string;
  let bare: Shell;
  let gated: Shell;

  beforeAll(async () => {
    workplace = new Workplace(
      // a machine that is busy, or a guest, takes longer than the default
      "  - policy: policies/policy.js\n    limits: { timeout: 10s }\n",
      "log: { file: log.jsonl }\ndefault: { bpf_prog_load: deny }\ngate: { stall: 60s }",
    );
    workplace.write("policies/policy.js", POLICY);
    if (tools.length === 0) return;
    mountTracefs();
    const { key, certificate } = workplace.signer.pem;
    const signer = ["--key", workplace.write("signer.key", key), "--cert", workplace.write("signer.pem", certificate)];
    rmSync(workplace.at("signatures"), { recursive: true });
    const sign = (...words: readonly string[]) => {
      const out = ["--programs", "--only-statements", "--out", workplace.at("signatures")];
      const signed = spawnSync(process.execPath, [BIN, "sign", ...signer, ...out, ...words], { encoding: "utf8" });
      expect(signed.status, signed.stderr).toBe(0);
    };
    sign(...tools.filter((path) => OPENINGS[path] === undefined));
    for (const [path, names] of Object.entries(OPENINGS))
      if (tools.includes(path)) sign(...names.flatMap((name) => ["--open", name]), path);
    // tools that trace block devices and ext4 see nothing of a file system in memory
    folder = mkdtempSync(join(own("node_modules"), ".activity-"));
    for (const where of ["bare", "gated"]) mkdirSync(workplace.at(where));
    bare = new Shell("sh", []);
    gated = new Shell(process.execPath, [BIN, "run", "--quiet", "--config", workplace.config, "--", "sh"]);
    // behind the gate, since tools behind it cannot look into processes outside
    await startActivity(gated, folder);
  });
  afterAll(async () => {
    if (folder !== undefined) {
      if (existsSync(join(folder, "pid"))) process.kill(activity());
      await Promise.all([bare.close(), gated.close()]);
      rmSync(folder, { recursive: true });
    }
    rmSync(workplace.folder, { recursive: true });
  });
  beforeEach((context) => {
    needsGate(context);
    if (TOOL_PATHS.length === 0) context.skip("needs libbpf-tools");
  });

  const activity = () => activityIn(folder);
  const outcome = (where: "bare" | "gated", run: ToolRun, limit = LIMIT) =>
    watched(where === "bare" ? bare : gated, workplace.at(where), folder, run, limit);

  describe.concurrent("show what they see as without the gate", () => {
    for (const path of TOOL_PATHS)
      it(path, { timeout: PATIENCE }, async ({ expect }) => {
        run.add(path);
        for (const each of runsOf(path, activity()).slice(0, RUNS)) {
          const without = await outcome("bare", each);
          const behind = await outcome("gated", each, without.shown === null ? LIMIT : LONGER);
          const what = `${each.words.join(" ")}: ${JSON.stringify([without, behind])}`;
          expect(behind.failure, what).toEqual(without.failure);
          if (without.shown !== null) expect(behind.shown, what).not.toBeNull();
          if (behind.failure === null) working.set(each.id, behind.shown);
        }
      });
  });

  it("load nothing that is not recognised", () => {
    const loads = recordsOf(workplace.at("log.jsonl")).filter(
      ({ hook, loader_probe }) => hook === "bpf_prog_load" && loader_probe === undefined,
    );
    const denied = loads.filter(({ verdict }) => verdict !== 0);
    expect(denied.map(({ subject, denied_by }) => `${subject.name}: ${denied_by?.reason}`)).toEqual([]);
    expect(loads.length).toBeGreaterThan(run.size / 2);
    const plain = [...working].filter(([id]) => id.endsWith(".0"));
    const seeing = plain.filter(([, shown]) => shown !== null);
    console.info(
      `${plain.length} of ${run.size} tools start, ${seeing.length} of them show an event or their header, and ` +
        `${working.size - plain.length} runs with options start`,
    );
    // this depends on the kernel
    expect(plain.length).toBeGreaterThan(run.size / 4);
  });
});
