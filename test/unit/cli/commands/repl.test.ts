import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";
import { own, Workplace } from "../../../support/workplace.js";

const PROGRAM = own("examples/peek-tc.o");
const OTHER = own("examples/switch-watch.o");

describe("countersign repl", () => {
  let place: Workplace;
  beforeAll(() => {
    place = new Workplace("  - policy: policies/other.js\n", "maps: { tiers: { file: tiers.json } }\n");
    place.write("policies/other.js", "export function bpf_prog_load() { return -1; }");
    place.write("tiers.json", '{ "edge": [1, 2] }');
  });
  afterAll(() => rmSync(place.folder, { recursive: true, force: true }));

  const repl = (file: string, lines: readonly string[], ...words: readonly string[]) =>
    runCommand("repl", "--config", place.config, ...words, ...lines.flatMap((line) => ["--eval", line]), file);
  /** What each line gave, as JSON. */
  async function given(file: string, lines: readonly string[], ...words: readonly string[]) {
    const { out } = await repl(file, lines, "--json", ...words);
    return out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
  const values = async (file: string, lines: readonly string[], ...words: readonly string[]) =>
    (await given(file, lines, ...words)).map(({ value, text }) => value ?? text);

  it("has the facts of the file's program, of the task and of a map", { tags: ["deep"] }, async () => {
    const lines = ["prog.type", "prog.effects.reads_kernel_memory", "current.uid", 'map_lookup("tiers", "edge")'];
    expect(await values(PROGRAM, lines, "--uid", "1000")).toEqual(["sched_cls", true, 1000, [1, 2]]);
  });

  it("keeps what a line declares for later lines", async () => {
    const lines = ["const names = prog.helpers", "function first(list) { return list[0]; }", "first(names)"];
    expect((await values(PROGRAM, lines)).at(-1)).toMatch(/^bpf_/);
  });

  it("has values that JSON does not have, and long ones", { tags: ["deep"] }, async () => {
    expect(
      await values(PROGRAM, ["undefined", "10n", "null ?? {}", '"x".repeat(9000).length', '"y".repeat(9000)']),
    ).toEqual(["undefined", "10", {}, 9000, "y".repeat(9000)]);
    expect((await values(PROGRAM, ['"z".repeat(40000)']))[0]).toMatch(/^"z{15000,}.*longer than 16000 characters/);
  });

  it("shows the verdict that a value would be, and what helpers answered", async () => {
    const [first, second] = await given(OTHER, ['verify_program(prog, "platform")', 'deny("no", 13)']);
    expect(first).toMatchObject({ value: -61, verdict: expect.stringContaining("-ENODATA") });
    expect(first?.helpers).toEqual([expect.stringContaining("verify_program")]);
    expect(second).toMatchObject({ value: -13, verdict: expect.stringMatching(/^-EACCES: .*no/) });
  });

  it("reports what a policy could not have, and goes on", { tags: ["deep"] }, async () => {
    const lines = ["prog.licence", "1 +", "null.x", 'verify_program(prog, "none")', "1 + 1"];
    const answers = await given(PROGRAM, lines);
    expect(answers.map(({ error }) => (error as { code?: string } | undefined)?.code)).toEqual([
      "POLICY_UNKNOWN_FACT",
      expect.stringMatching(/^POLICY_/),
      undefined,
      expect.stringMatching(/^POLICY_|^CONFIG_/),
      undefined,
    ]);
    expect(answers[2]).toMatchObject({ error: { message: expect.stringContaining("POLICY_ERROR") } });
    expect(answers[4]).toMatchObject({ value: 2 });
    expect((await repl(PROGRAM, lines)).code).toBe(2);
  });

  it("ends a line that does not return, and keeps no declaration that failed", { tags: ["deep"] }, async () => {
    const lines = ["(() => { for (;;); })()", "const a = null.x", "1"];
    const answers = await given(PROGRAM, lines);
    // on a busy machine its time is over before its steps are
    expect(answers[0]).toMatchObject({ error: { message: expect.stringMatching(/^OUT_OF_(?:STEPS|TIME)/) } });
    expect(answers[2]).toMatchObject({ value: 1 });
  });

  it("lists the subjects of a file and takes another", async () => {
    const { out: list } = await repl(OTHER, [".subjects"]);
    expect(list).toMatch(/^ +HOOK +SUBJECT *\n1 /);
    const [, number = ""] = /^(\d+) +bpf_map_create /m.exec(list) ?? [];
    const { code, out, err } = await repl(OTHER, [`.use ${number}`, "map.type"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^'\w+'\n$/);
    expect(await repl(OTHER, [".use 99"])).toMatchObject({ code: 2, err: expect.stringContaining("[USAGE]") });
  });

  it("has the subjects and callers of requests, of each kind", async () => {
    const requests = [
      { program: { type: "xdp" }, uid: 7 },
      { map: { type: "hash" } },
      { command: { name: "BPF_OBJ_PIN", path: "/sys/fs/bpf/x" } },
      { token: {} },
      { module: { name: "dummy" } },
      { executable: { path: "/usr/bin/true" } },
      { blob: { name: "rules", data: { hex: "00" } }, maps: { tiers: { edge: [3] } } },
    ];
    const file = place.write("requests.jsonl", requests.map((one) => `${JSON.stringify(one)}\n`).join(""));
    const asked = ["prog.type", "map.type", "command.path", "typeof token", "file.name", "file.path", "blob.name"];
    const lines = asked.flatMap((line, index) => [`.use ${index + 1}`, line, "current.uid"]);
    const words = [...lines, 'map_lookup("tiers", "edge")'].flatMap((line) => ["--eval", line]);
    const { code, out, err } = await runCommand(
      "repl",
      "--config",
      place.config,
      "--request",
      file,
      "--json",
      ...words,
    );
    expect([code, err]).toEqual([0, ""]);
    const values = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).value);
    expect(values).toEqual(
      [
        ["xdp", 7],
        ["hash", 0],
        ["/sys/fs/bpf/x", 0],
        ["object", 0],
        ["dummy", 0],
        ["/usr/bin/true", 0],
        ["rules", 0, [3]],
      ].flat(1),
    );
  });

  it.each([
    ["no subject", [], "no file is named"],
    ["a file and requests", ["--request", "x", PROGRAM], "--request goes without a file"],
    ["requests and lines on standard input", ["--request", "-"], "goes without lines on standard input"],
    ["a line that is no request", ["--request", PROGRAM, "--eval", "1"], "[CONFIG_INVALID]"],
    ["a file without a request", ["--request", "/dev/null", "--eval", "1"], "has no request"],
  ])("rejects %s", async (_, words, message) => {
    const { code, err } = await runCommand("repl", ...words);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  it("shows control characters as text", async () => {
    expect((await repl(PROGRAM, ['"\\u001b[2J"', 'deny("\\u001b[2J")'])).out).not.toContain("\u001b");
  });

  it("needs no configuration, and reads lines from standard input", { tags: ["deep"] }, () => {
    const input = "const type = prog.type\n\ntype\nprog.licence\n.exit\n1\n";
    const repl = [own("bin/countersign.js"), "repl", "--json", PROGRAM];
    const { status, stdout } = spawnSync(process.execPath, repl, {
      cwd: place.at("policies"),
      input,
      encoding: "utf8",
    });
    const lines = stdout.trimEnd().split("\n");
    expect([status, lines.map((line) => JSON.parse(line))]).toEqual([
      2,
      [
        expect.not.objectContaining({ value: expect.anything() }),
        expect.objectContaining({ value: "sched_cls" }),
        { error: expect.objectContaining({ code: "POLICY_UNKNOWN_FACT" }) },
      ],
    ]);
  });

  it("rejects a file that is no subject", async () => {
    expect(await repl(place.write("blob", "x"), ["1"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("[ELF_"),
    });
    expect(await values(place.write("blob", "x"), ["blob.data.length"], "--hook", "blob_verify")).toEqual([1]);
  });
});
