import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GATE_RULES, type GateRule } from "../../../src/gate/call/rules.js";
import { RunningProgram } from "./running-program.js";
import { BIN, needs, needsGate, Site, XDP_PASS } from "./site.js";

const POLICY = `
import { deny } from "countersign";
export const bpf_prog_load = (prog) => (prog.tag === "b11459a0e11ca14c" ? deny("is the forbidden program") : 0);
export const bpf = () => 0;
`;
const SETTINGS = "gate: { map_memory: 64KiB }\n";

/**
 * Acts that are otherwise under the gate: with which errno, and by which rule of the gate; null for what Landlock
 * denies.
 */
const DENIED: Readonly<Record<string, readonly [errno: string, rule: GateRule | "policy" | null]>> = {
  "signal a process outside": ["EPERM", null],
  "trace it": ["EPERM", null],
  "read its memory": ["EPERM", null],
  "connect to its abstract socket": ["EPERM", null],
  "getpid of i386": ["EPERM", "foreign_call"],
  "bpf of i386": ["EPERM", "foreign_call"],
  "getpid of x32": ["EPERM", "foreign_call"],
  kexec_load: ["EPERM", "kexec"],
  kexec_file_load: ["EPERM", "kexec"],
  "pin by a link of /proc": ["ELOOP", "proc_link"],
  "get by a link of /proc": ["ELOOP", "proc_link"],
  "find a program of outside": ["EPERM", "existing"],
  "find a map of outside": ["EPERM", "existing"],
  "unknown command": ["EINVAL", "unknown_command"],
  "load what a policy denies": ["EPERM", "policy"],
  "load what is no program": ["EINVAL", "unreadable"],
  "load with many fds": ["E2BIG", "too_large"],
  "create a large map": ["ENOMEM", "map_memory"],
  "unknown field": ["EINVAL", "unknown_field"],
  "unknown attach type": ["EINVAL", "attach_type"],
  "run often": ["EINVAL", "repeat"],
  "make a token": ["ENOENT", "token_create"],
};

/** What audit cannot see, or predicts where the kernel denies as well. */
const UNSEEN_IN_AUDIT = ["getpid of i386", "getpid of x32"];

/** Where the other rules are tested; and why two of them are nowhere. */
const ELSEWHERE: Readonly<Partial<Record<GateRule, string>>> = {
  module_name: "test/unit/gate/commands/modules.test.ts",
  rewritten: "traps.test.ts",
  element_writer: "writes.test.ts",
  loader: "light.test.ts",
  loader_run: "commands.test.ts",
  existing_use: "commands.test.ts",
  iterator: "commands.test.ts",
  withheld: "light.test.ts",
  token: "token.test.ts",
  stalled: "traps.test.ts",
  freeze: "needs a map that another program writes to at the same time",
  unknown_object: "needs a kernel with another kind of object",
  unknown_call: "needs a profile that asks about other calls",
  out_of_reach: "capabilities.test.ts",
  gate_target: "target.test.ts",
  ticket: "needs a sealed machine: seal/agent.test.ts",
  agent: "needs a sealed machine: seal/run.test.ts",
  unseen_task: "needs a container that is not below the gate's pid namespace",
};

describe("a dry run", () => {
  let site: Site;
  let outside: RunningProgram | undefined;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    if (process.getuid?.() !== 0) return;
    site = new Site(POLICY, SETTINGS);
    const name = `countersign-${process.pid}`;
    outside = new RunningProgram(site.attack("outcomes"), ["stay"], { SOCKET: name });
    expect(await outside.line()).toBe("listening");
    const object = site.object("outside", XDP_PASS);
    const pins = { program: join(site.bpffs, "outside"), map: join(site.bpffs, "map") };
    execFileSync("bpftool", ["prog", "load", object, pins.program]);
    execFileSync("bpftool", [
      ..."map create".split(" "),
      pins.map,
      ..."type array key 4 value 8 entries 1 name outer".split(" "),
    ]);
    const id = (kind: string, pin: string) => {
      const shown = execFileSync("bpftool", ["-j", kind, "show", "pinned", pin], { encoding: "utf8" });
      return String((JSON.parse(shown) as { id: number }).id);
    };
    env = {
      ...{ OUTSIDE: String(outside.pid), ADDRESS: "8", SOCKET: name, BPFFS: site.bpffs },
      ...{ PROGRAM: id("prog", pins.program), MAP: id("map", pins.map) },
    };
  });
  afterAll(async () => {
    await outside?.end();
    site?.remove();
  });
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc", "clang-19", "bpftool");
    site.forgetLog();
  });

  const words = (act?: string) => [site.attack("outcomes"), ...(act === undefined ? [] : [act])] as const;
  const bare = (act?: string) => site.bare("env", ...settings(), ...words(act)).stdout;
  const under = (options: readonly string[], act?: string) => site.runWith(options, env, ...words(act)).stdout;
  const settings = () => Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const outcomes = (text: string) =>
    Object.fromEntries(
      text
        .trimEnd()
        .split("\n")
        .map((line) => line.split(": ") as [string, string]),
    );

  it("has the same outcome for every act as no gate has", () => {
    const without = bare();
    expect(Object.keys(outcomes(without))).toEqual(expect.arrayContaining(Object.keys(DENIED)));
    expect(under(["--audit"])).toBe(without);
    expect(site.log.filter(({ verdict }) => verdict !== 0)).toEqual([]);
  });

  it("is otherwise where verdicts are enforced, and each denial by the gate is a decision with its rule", () => {
    const without = outcomes(bare());
    const enforced = outcomes(under([]));
    const expected = { ...without };
    for (const [act, [errno]] of Object.entries(DENIED)) expected[act] = errno;
    // the second time as the first
    expected["find it again"] = "EPERM";
    expect(enforced).toEqual(expected);
    const rules = Object.values(DENIED).flatMap(([, rule]) => (rule === null || rule === "policy" ? [] : [rule]));
    const denied = site.log.filter(({ denied_by }) => denied_by?.code === "DENIED_BY_GATE");
    expect(denied.map(({ denied_by }) => denied_by?.rule)).toEqual(rules);
    for (const { subject, denied_by } of denied) {
      expect(subject.name).not.toBe("");
      expect(denied_by?.reason).toMatch(/^gate: .{10}/);
    }
    const digests = denied.filter(({ subject }) => subject.digest !== "").map(({ denied_by }) => denied_by?.rule);
    // of a program that was loaded outside the kernel tells no digest
    expect(digests).toEqual(["existing", "unreadable", "map_memory"]);
  });

  it.each(Object.entries(DENIED).filter(([act, [, rule]]) => rule !== null && !UNSEEN_IN_AUDIT.includes(act)))(
    "records what enforcement denies: %s",
    (act, [, rule]) => {
      under(["--audit"], act);
      const denied = site.log.filter(({ denied_by }) => denied_by !== null);
      expect(denied.map(({ denied_by, verdict }) => [denied_by?.rule ?? "policy", verdict])).toEqual([[rule, 0]]);
    },
  );

  it("names the object that is denied once, with its id, and counts the rest", () => {
    const script = `${words()[0]} "find a program of outside"; ${words()[0]} "find it again"; ${words()[0]} "find a map of outside"`;
    for (const options of [[], ["--audit"]]) {
      site.forgetLog();
      const { stderr } = site.runLoudWith([...options, "--json"], "env", ...settings(), "sh", "-c", script);
      expect(JSON.parse(stderr)).toMatchObject({ repeated_denials: 1 });
      const denied = site.log.filter((line) => line.denied_by !== null);
      expect(denied.map(({ hook, subject, denied_by }) => [hook, subject, denied_by?.rule])).toEqual([
        ["bpf_prog", { kind: "program", name: "pass", digest: "", path: null, id: Number(env.PROGRAM) }, "existing"],
        [
          "bpf_map",
          expect.objectContaining({ kind: "map", name: "outer", digest: expect.stringMatching(/^[0-9a-f]{64}$/) }),
          "existing",
        ],
      ]);
    }
  });

  it("counts in its summary the restrictions that remain", () => {
    const { stderr } = site.runLoudWith(["--audit"], "true");
    expect(stderr).toBe(
      "countersign: 0 allowed, 0 would have been denied, 4 restrictions of the gate remain (docs/run.md)\n",
    );
  });

  it.each([
    [[], "countersign: 0 allowed, 0 denied\n"],
    [
      ["--audit"],
      "countersign: 0 allowed, 0 would have been denied, 5 restrictions of the gate remain (docs/run.md)\n",
    ],
  ])("starts for a user without capabilities, as enforcement does: %j", (options, summary) => {
    chmodSync(site.folder, 0o755);
    const config = site.write("ordinary.yaml", "version: 1\nattachments: []\n");
    const user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const run = [process.execPath, BIN, "run", ...options, "--config", config, "--", "id", "-u"];
    expect(site.bare(...user, ...run)).toMatchObject({ status: 0, stdout: "65534\n", stderr: summary });
  });

  it("has every rule of the gate tested, here or elsewhere", () => {
    const here = new Set(Object.values(DENIED).map(([, rule]) => rule));
    for (const rule of Object.keys(ELSEWHERE)) expect(here.has(rule as GateRule), rule).toBe(false);
    const all = [...here, ...Object.keys(ELSEWHERE)].filter((rule) => rule !== null && rule !== "policy");
    expect(all.sort()).toEqual(Object.keys(GATE_RULES).sort());
  });
});

describe("a log on a full disk", () => {
  let site: Site;
  let full: string;

  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
    site = new Site(POLICY);
    full = join(site.folder, "full");
    mkdirSync(full);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "none", full]);
    return () => {
      execFileSync("umount", [full]);
      site.remove();
    };
  });

  const configure = () => {
    site.write(
      "countersign.yaml",
      "version: 1\nlog: { file: full/log.jsonl }\nattachments: [{ policy: policy.js, limits: { timeout: 10s } }]\n",
    );
    writeFileSync(join(full, "log.jsonl"), "");
    try {
      writeFileSync(join(full, "ballast"), Buffer.alloc(64 * 1024));
    } catch {
      // it is full now
    }
  };
  const load = (...options: readonly string[]) => site.runLoudWith(options, site.attack("outcomes"), "load");

  it("denies what is enforced, and says why", () => {
    configure();
    const { stdout, stderr } = load();
    expect(stdout).toBe("load: EPERM\n");
    expect(stderr).toContain("the log cannot be written: ENOSPC");
  });

  it("denies nothing in a dry run, which says so once and counts it", () => {
    configure();
    const { status, stdout, stderr } = load("--audit");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "load: done\n" });
    expect(stderr.match(/decisions cannot be logged; their operations are let through/g)).toHaveLength(1);
    expect(stderr).toMatch(/ENOSPC \[FILE_UNREADABLE\]/);
    expect(stderr).toMatch(/^countersign: \d+ allowed, 0 would have been denied, 2 could not be logged, /m);
    expect(JSON.parse(load("--audit", "--json").stderr.split("\n")[1]!)).toMatchObject({ denied: 0, log_failures: 2 });
  });
});
