import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { recordsOf } from "../../support/records.js";
import { own, Workplace } from "../../support/workplace.js";
import { amount } from "../nightly.js";
import { OPENINGS, runsOf, TOOL_PATHS, type ToolRun } from "./libbpf-tools.js";
import { BIN, mountTracefs, needsGate } from "./site.js";

const POLICY = `
import { verify_program } from "countersign";
export const bpf_prog_load = (prog) => verify_program(prog, "platform");
`;
const WATCH = fileURLToPath(new URL("watch-tool.py", import.meta.url));
const ACTIVITY = fileURLToPath(new URL("activity.py", import.meta.url));
/** The number of passes of activity.py after which a tool that is attached and has shown nothing is ended. */
const LIMIT = 60;
/** The same for a tool that has shown something without the gate: on a busy machine it takes longer behind it. */
const LONGER = 600;
/** Of each tool: the run without options, and those with options in the long form. */
const RUNS = amount(1, Number.POSITIVE_INFINITY);

/** In milliseconds, for all runs of a tool: what they wait for is counted, and not timed. */
const PATIENCE = 1_200_000;

/** What came of a run. */
interface Outcome {
  /** The line that was looked for; null if it was not printed. */
  readonly shown: string | null;
  /** Of a tool that ended without it: its status and the first line about that. Null if it was still running. */
  readonly failure: readonly [status: string, line: string] | null;
}

/** A shell that runs commands side by side. */
class Shell {
  readonly #waiting = new Map<string, () => void>();

  readonly #process;

  constructor(program: string, words: readonly string[]) {
    this.#process = spawn(program, words, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#process.stdout }).on("line", (id) => this.#waiting.get(id)?.());
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null;
  }

  /** Resolves once the command has ended. */
  run(id: string, words: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      const quoted = words.map((word) => `'${word}'`).join(" ");
      this.#process.stdin.write(`{ ${quoted}; echo ${id}; } &\n`);
    });
  }

  close(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#process.once("close", resolve);
      this.#process.stdin.end();
    });
  }
}

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
    void gated.run("activity", ["python3", ACTIVITY, folder]);
    while (!existsSync(join(folder, "passes")) && gated.isRunning) await sleep(50);
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

  /** The process that does what tools see. */
  const activity = () => Number(readFileSync(join(folder, "pid"), "latin1"));
  const outcome = async (where: "bare" | "gated", run: ToolRun, limit = LIMIT): Promise<Outcome> => {
    const prefix = join(workplace.at(where), run.id);
    const words = [
      "python3",
      WATCH,
      prefix,
      run.shows,
      run.begins,
      join(folder, "passes"),
      String(limit),
      ...run.words,
    ];
    await (where === "bare" ? bare : gated).run(run.id, words);
    const read = (name: string) => readFileSync(`${prefix}.${name}`, "latin1");
    const end = read("end").trim();
    if (end === "silent") return { shown: null, failure: null };
    if (end !== "shown") return { shown: null, failure: [end, reasonIn(read("err"))] };
    return { shown: read("line"), failure: null };
  };

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

/** The first line of what a tool says about its failure, without addresses. */
function reasonIn(text: string): string {
  return text.split("\n")[0]!.replaceAll(/0x[0-9a-f]+/g, "0x…");
}
