import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EFFECTS } from "../../../src/bpf/model/facts.js";
import { RecordReader } from "../../../src/log/record-reader.js";
import { LEARN_BY, type LearnBy } from "../../../src/workbench/learn/learn-by.js";
import { learnerOf, linesOf } from "../../support/learning.js";
import { embeddedObjects, exampleObjects, objectFiles } from "../../support/real-objects.js";
import { recordsOf } from "../../support/records.js";
import { own, Workplace } from "../../support/workplace.js";
import { OPENINGS, runsOf, TOOL_PATHS, type ToolRun } from "../gate/libbpf-tools.js";
import { BIN, mountTracefs, needsGate } from "../gate/site.js";
import { activityIn, LIMIT, LONGER, type Outcome, Shell, startActivity, watched } from "../gate/watched-tools.js";
import { amount } from "../nightly.js";

/** Tools that are run in each run of the tests. Some are signed as statements. */
const FEW = ["opensnoop", "execsnoop", "vfsstat", "statsnoop"];
const isSigned = (path: string) => basename(path).charCodeAt(0) % 2 === 1;
const few = TOOL_PATHS.filter((path) => FEW.some((name) => basename(path) === `${name}-libbpf`));
/** The tools that are learnt from, and the least number of programs of other objects: all tools only at night. */
const SETS = [["some of libbpf-tools", few, 500] as const, ["all of libbpf-tools", TOOL_PATHS, 150] as const].slice(
  0,
  amount(1, 2),
);

/** In milliseconds, for all runs of a tool. */
const PATIENCE = 1_200_000;
const CASES = LEARN_BY.slice(0, amount(2, LEARN_BY.length)).map((by) => [by] as const);

/** A gate with a shell in it, and what tools in it see. */
class GatedShell {
  readonly #activity: string;
  readonly #out: string;
  readonly shell: Shell;

  constructor(config: string, out: string) {
    this.shell = new Shell(process.execPath, [BIN, "run", "--quiet", "--config", config, "--", "sh"]);
    // tools that trace block devices and ext4 see nothing of a file system in memory
    this.#activity = mkdtempSync(join(own("node_modules"), ".activity-"));
    this.#out = out;
    mkdirSync(out, { recursive: true });
  }

  async begin(): Promise<void> {
    await startActivity(this.shell, this.#activity);
  }

  /**
   * The first run of each tool that is given, by its id; several at a time. Tools that have shown something `before`
   * get longer for it.
   */
  async outcomes(
    paths: readonly string[],
    before: ReadonlyMap<string, Outcome> = new Map(),
  ): Promise<ReadonlyMap<string, Outcome>> {
    const left = paths.map((path) => runsOf(path, activityIn(this.#activity))[0] as ToolRun);
    const found = new Map<string, Outcome>();
    const worker = async () => {
      for (let run = left.shift(); run !== undefined; run = left.shift()) {
        const limit = before.get(run.id)?.shown == null ? LIMIT : LONGER;
        found.set(run.id, await watched(this.shell, this.#out, this.#activity, run, limit));
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    return found;
  }

  async end(): Promise<void> {
    process.kill(activityIn(this.#activity));
    await this.shell.close();
    rmSync(this.#activity, { recursive: true });
  }
}

/** `countersign learn` from a recorded run of libbpf-tools, then enforced. */
describe.each(SETS)("what is learnt from %s", (_, tools, least) => {
  let workplace: Workplace;
  let audited: ReadonlyMap<string, Outcome> = new Map();

  beforeAll(async () => {
    workplace = new Workplace(
      "  - { policy: policies/observe.js, limits: { timeout: 10s } }\n",
      "mode: audit\nlog: { file: audit.jsonl, level: inputs }\ngate: { stall: 60s }",
    );
    workplace.policy("observe.js");
    if (process.getuid?.() !== 0 || tools.length === 0) return;
    mountTracefs();
    sign(workplace, tools.filter(isSigned));
    const gate = new GatedShell(workplace.config, workplace.at("audited"));
    await gate.begin();
    audited = await gate.outcomes(tools);
    await gate.end();
  }, PATIENCE);
  afterAll(() => rmSync(workplace.folder, { recursive: true }));
  beforeEach((context) => {
    needsGate(context);
    if (tools.length === 0) context.skip("needs libbpf-tools");
  });

  const learnt = (by: LearnBy) => {
    const out = workplace.at(`learnt-${by}`);
    const words = ["learn", "--by", by, "--config", workplace.config, "--out", out];
    return spawnSync(process.execPath, [BIN, ...words, workplace.at("audit.jsonl")], { encoding: "utf8" });
  };
  /** The learnt configuration with what a machine that is busy needs, and with a log. */
  const enforcing = (by: LearnBy, level = "decision") => {
    const folder = workplace.at(`learnt-${by}`);
    const text = readFileSync(join(folder, "countersign.yaml"), "utf8");
    const file = join(folder, `enforcing-${level}.yaml`);
    const more = `log: { file: enforced.jsonl, level: ${level} }\ngate: { stall: 60s }\n`;
    writeFileSync(file, `${text.trimEnd()}\n    limits: { timeout: 10s }\n${more}`);
    return file;
  };

  it("is a policy whose tests pass, from every load", () => {
    for (const by of LEARN_BY) {
      const { status, stdout, stderr } = learnt(by);
      expect([status, stderr], stdout).toEqual([0, ""]);
      const config = workplace.at(`learnt-${by}/countersign.yaml`);
      const tests = spawnSync(process.execPath, [BIN, "test", "--config", config], { encoding: "utf8" });
      expect(tests.status, tests.stdout + tests.stderr).toBe(0);
    }
    const { leftOut } = learnerOf(linesOf(workplace, "audit.jsonl"));
    expect(leftOut.unusable).toEqual({});
  });

  it.each(CASES)("by %s has all tools work that worked in the dry run", { timeout: PATIENCE }, async (by) => {
    const gate = new GatedShell(enforcing(by), workplace.at(`enforced-${by}`));
    await gate.begin();
    const enforced = await gate.outcomes(tools, audited);
    await gate.end();
    for (const [id, before] of audited) {
      const after = enforced.get(id)!;
      const what = `${id}: ${JSON.stringify([before, after])}`;
      expect(after.failure, what).toEqual(before.failure);
      if (before.shown !== null) expect(after.shown, what).not.toBeNull();
    }
    const loads = recordsOf(workplace.at(`learnt-${by}/enforced.jsonl`)).filter(({ hook }) => hook === "bpf_prog_load");
    const denied = loads.filter(({ verdict }) => verdict !== 0);
    expect(denied.map(({ subject, denied_by }) => `${subject.name}: ${denied_by?.reason}`)).toEqual([]);
    const working = [...audited.values()].filter(({ failure }) => failure === null).length;
    console.info(`by ${by}: ${working} of ${audited.size} tools start, ${loads.length} loads are allowed`);
    expect(working).toBeGreaterThan(audited.size / 4);
  });

  it.each(CASES)("by %s allows no other program", { timeout: PATIENCE }, (by) => {
    const seen = learnerOf(linesOf(workplace, "audit.jsonl")).programs(false);
    const digests = new Set(seen.map(({ digest, type }) => `${type} ${digest}`));
    const effects = new Map<string, Set<string>>();
    for (const { type, effects: its } of seen) effects.set(type, new Set([...(effects.get(type) ?? []), ...its]));
    const counts = { denied: 0, allowed: 0, seen: 0 };
    for (const { name, type, digest, effects: its, isAllowed } of decidedOthers(
      workplace,
      enforcing(by, "inputs"),
      tools,
    )) {
      if (digests.has(`${type} ${digest}`)) {
        counts.seen += 1;
        continue;
      }
      counts[isAllowed ? "allowed" : "denied"] += 1;
      if (!isAllowed) continue;
      expect(by, name).toBe("effects");
      const known = effects.get(type) ?? new Set();
      expect(
        its.filter((effect) => !known.has(effect)),
        name,
      ).toEqual([]);
    }
    console.info(`by ${by}: ${JSON.stringify(counts)}`);
    expect(counts.denied + counts.allowed).toBeGreaterThan(least);
  });
});

interface Decided {
  readonly name: string;
  readonly type: string;
  readonly digest: string;
  readonly effects: readonly string[];
  readonly isAllowed: boolean;
}

/** What a configuration decides about the programs of other objects, as they are on this kernel. */
function decidedOthers(workplace: Workplace, config: string, tools: readonly string[]): readonly Decided[] {
  const log = workplace.at("others.jsonl");
  rmSync(log, { force: true });
  const files = otherObjects(tools).map(({ bytes }, index) => workplace.write(`others/${index}.o`, bytes));
  const words = ["check", "--btf", "/sys/kernel/btf/vmlinux", "--config", config, ...files, "--log", log];
  const { status, stderr } = spawnSync(process.execPath, [BIN, ...words], { encoding: "utf8", maxBuffer: 1 << 28 });
  // 2: some programs cannot be resolved for this kernel; they are decided as they are in the file
  expect([1, 2], stderr).toContain(status);
  const reader = new RecordReader();
  return linesOf(workplace, "others.jsonl").flatMap((line): Decided[] => {
    const { inputs } = reader.read(line);
    if (inputs?.hook !== "bpf_prog_load" || !("definition" in inputs.subject)) return [];
    const { facts } = reader.definition("subject", inputs.subject.definition)!.content as unknown as {
      facts: Readonly<{ name: string; type: string; digest: string; effects: Readonly<Record<string, boolean>> }>;
    };
    const effects = EFFECTS.filter((effect) => facts.effects[effect]);
    const isAllowed = (inputs.enforced_verdict ?? inputs.verdict) === 0;
    return [{ name: facts.name, type: facts.type, digest: facts.digest, effects, isAllowed }];
  });
}

/** Objects of Debian's packages and of this project, other than those of the tools that were run. */
function otherObjects(tools: readonly string[]) {
  const run = tools.map((path) => basename(path));
  const packages = ["xdp-tools", "libbpf-tools", "bpftool", "systemd"].flatMap((name) => {
    try {
      return embeddedObjects(name);
    } catch {
      return []; // it is not installed
    }
  });
  return [...exampleObjects(), ...objectFiles("xdp-tools", "libxdp1"), ...packages].filter(
    ({ name }) => !run.some((tool) => name.startsWith(`libbpf-tools/${tool}`)),
  );
}

/** Signs the statements of tools into the store of a workplace. */
function sign(workplace: Workplace, paths: readonly string[]): void {
  const { key, certificate } = workplace.signer.pem;
  const signer = ["--key", workplace.write("signer.key", key), "--cert", workplace.write("signer.pem", certificate)];
  const out = ["--programs", "--only-statements", "--out", workplace.at("signatures")];
  const signWith = (...words: readonly string[]) => {
    const signed = spawnSync(process.execPath, [BIN, "sign", ...signer, ...out, ...words], { encoding: "utf8" });
    expect(signed.status, signed.stderr).toBe(0);
  };
  signWith(...paths.filter((path) => OPENINGS[path] === undefined));
  for (const [path, names] of Object.entries(OPENINGS))
    if (paths.includes(path)) signWith(...names.flatMap((name) => ["--open", name]), path);
}
