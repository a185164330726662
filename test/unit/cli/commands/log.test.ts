import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { RecordReader } from "../../../../src/log/record-reader.js";
import { runCommand } from "../../../support/command-line.js";
import { recordedLines } from "../../../support/recorded-decisions.js";
import { recordsIn } from "../../../support/records.js";

const ID = "01a220c3-2003-72f9-a12f-3bc8cdc67ab";
const TIME = Date.UTC(2026, 0, 31, 12);
const denial = (attachment: string | null, reason: string) => {
  return { attachment, verdict: -1, code: "DENIED_BY_POLICY", reason };
};
const decision = (number: number, more: object) => {
  return JSON.stringify({
    type: "decision",
    version: 2,
    time: new Date(TIME + number * 60_000).toISOString(),
    id: `${ID}${number}`,
    hook: "bpf_prog_load",
    verdict: 0,
    enforced_verdict: 0,
    denied_by: null,
    audit_denials: [],
    subject: { name: `p${number}` },
    current: { pid: 7, uid: 0, comm: "tc", container: null },
    answers: [],
    ...more,
  });
};
const edge = { pid: 8, uid: 5, comm: "web", container: { id: "c1", name: "router", labels: { tier: "edge" } } };
const unknown = { pid: 9, uid: 6, comm: "sh", container: { id: "c2", name: null, labels: null } };
const tc = denial("tc", "tc: is not signed");
const LINES = [
  decision(0, { answers: [{ attachment: "tc", policy: "b2c1eb53b41f" }] }),
  decision(1, { verdict: -1, enforced_verdict: -1, denied_by: tc, current: edge }),
  decision(2, { enforced_verdict: -13, denied_by: denial(null, "no map may be made"), current: unknown }),
  decision(3, { audit_denials: [denial("watch", "watch: has no statement"), tc], current: edge }),
  decision(4, { verdict: -1, enforced_verdict: -1, denied_by: tc, audit_denials: [denial("watch", "too")] }),
  JSON.stringify({
    type: "keyring",
    version: 2,
    time: "2026-01-31T12:05:00.000Z",
    keyring: "k",
    generation: 2,
    error: null,
  }),
  decision(6, { loader_probe: "libbpf 1.5" }),
];

describe("countersign log", () => {
  let folder: string;
  let path: string;
  const log = (...words: string[]) => runCommand("log", ...words);
  /** The numbers of the decisions that are shown. */
  const shown = async (...words: string[]) => {
    const { out } = await log("--json", ...words, path);
    return recordsIn(out).map(({ id, type }) => (type === "decision" ? Number(id.at(-1)) : type));
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "cli-log-"));
    path = join(folder, "log");
    writeFileSync(path, LINES.map((line) => `${line}\n`).join(""));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("shows one line for each record", async () => {
    const { code, out, err } = await log(path);
    expect([code, err]).toEqual([0, ""]);
    expect(out.trimEnd().split("\n")).toEqual([
      `2026-01-31T12:00:00.000Z ${ID}0 allowed bpf_prog_load \`p0\` for tc (pid 7, uid 0)`,
      `2026-01-31T12:01:00.000Z ${ID}1 denied -EPERM bpf_prog_load \`p1\` for web (pid 8, uid 5, container router tier=edge): tc: is not signed (countersign explain ${ID}1)`,
      `2026-01-31T12:02:00.000Z ${ID}2 would deny -EACCES bpf_prog_load \`p2\` for sh (pid 9, uid 6, container c2 with unknown labels): no map may be made (countersign explain ${ID}2)`,
      `2026-01-31T12:03:00.000Z ${ID}3 audit denial bpf_prog_load \`p3\` for web (pid 8, uid 5, container router tier=edge): watch: has no statement; tc: is not signed (countersign explain ${ID}3)`,
      `2026-01-31T12:04:00.000Z ${ID}4 denied -EPERM bpf_prog_load \`p4\` for tc (pid 7, uid 0): tc: is not signed; audit: too (countersign explain ${ID}4)`,
      "2026-01-31T12:05:00.000Z keyring `k` generation 2 in use",
      `2026-01-31T12:06:00.000Z ${ID}6 allowed probe bpf_prog_load \`p6\` for tc (pid 7, uid 0): libbpf 1.5`,
    ]);
  });

  it("shows what passes every filter", { tags: ["deep"] }, async () => {
    expect(await shown()).toEqual([0, 1, 2, 3, 4, "keyring", 6]);
    expect(await shown("--denied")).toEqual([1, 2, 4]);
    expect(await shown("--audit-denials")).toEqual([3, 4]);
    expect(await shown("--denied", "--audit-denials")).toEqual([1, 2, 3, 4]);
    expect(await shown("--policy", "tc")).toEqual([0, 1, 3, 4]);
    expect(await shown("--policy", "watch", "--policy", "b2c1eb53")).toEqual([0, 3, 4]);
    expect(await shown("--policy", "b2")).toEqual([]);
    expect(await shown("--label", "tier=edge")).toEqual([1, 3]);
    expect(await shown("--label", "tier in (edge, prod)", "--label", "!debug", "--denied")).toEqual([1]);
    expect(await shown("--label", "!debug")).toEqual([1, 3]);
    expect(await shown("--since", "2026-01-31T12:04:00Z")).toEqual([4, "keyring", 6]);
    expect(await shown("--since", "1d")).toEqual([]);
    expect(await shown("--id", `${ID}3`, "--id", `${ID}1`)).toEqual([1, 3]);
  });

  it("shows what a shadow would decide otherwise, beside the decision that an id names or if it is asked for", async () => {
    const beside = join(folder, "shadow");
    const shadow = (number: number, more: object) =>
      JSON.stringify({ ...JSON.parse(decision(number, more)), type: "shadow", shadow: "new.yaml" });
    const denied = { verdict: -1, enforced_verdict: -1, denied_by: tc };
    const decided = (by: object | null) => ({
      enforced_verdict: by === null ? 0 : -1,
      denied_by: by,
      audit_denials: [],
    });
    const lines = [
      decision(0, {}),
      shadow(0, { ...denied, change: "denies", decided: decided(null) }),
      decision(1, denied),
      shadow(1, { change: "allows", decided: decided(tc) }),
      shadow(2, { change: "toString" }),
    ];
    writeFileSync(beside, lines.map((line) => `${line}\n`).join(""));
    const types = async (...words: string[]) =>
      recordsIn((await log("--json", ...words, beside)).out).map(({ type, id }) => `${type} ${id.at(-1)}`);
    expect(await types("--denied")).toEqual(["decision 1"]);
    expect(await types("--shadow")).toEqual(["shadow 0", "shadow 1", "shadow 2"]);
    expect(await types("--shadow", "--denied")).toEqual(["shadow 0"]);
    expect(await types("--id", `${ID}1`)).toEqual(["decision 1", "shadow 1"]);
    expect((await log("--shadow", beside)).out.trimEnd().split("\n")).toEqual([
      `2026-01-31T12:00:00.000Z ${ID}0 shadow would deny -EPERM bpf_prog_load \`p0\` for tc (pid 7, uid 0): tc: is not signed (now allowed)`,
      `2026-01-31T12:01:00.000Z ${ID}1 shadow would allow bpf_prog_load \`p1\` for tc (pid 7, uid 0) (now denied, tc: is not signed)`,
      `2026-01-31T12:02:00.000Z ${ID}2 shadow would decide otherwise bpf_prog_load \`p2\` for tc (pid 7, uid 0) (now allowed)`,
    ]);
  });

  describe("of a log that has all inputs", () => {
    let inputs: string;
    const ofInputs = async (...words: string[]) => recordsIn((await log("--json", ...words, inputs)).out);
    beforeAll(async () => {
      vi.spyOn(process, "emitWarning").mockImplementation(() => {});
      inputs = join(folder, "inputs");
      writeFileSync(inputs, (await recordedLines("inputs")).map((line) => `${line}\n`).join(""));
    });
    afterAll(() => void vi.restoreAllMocks());

    it("shows what definitions have", async () => {
      const { code, out, err } = await log(inputs);
      expect([code, err]).toEqual([0, ""]);
      expect(out).toContain("(pid 1, uid 1, container web tier=edge)");
      expect(out).not.toContain("record of type");
    });

    it("finds decisions by label and by the digest of a policy", async () => {
      const edge = await ofInputs("--label", "tier=edge");
      expect(edge.length).toBeGreaterThan(10);
      for (const { current, mode } of edge)
        expect([current.container?.name, mode]).toEqual(["web", expect.any(String)]);
      const policy = edge[0]?.answers[0]?.policy ?? "";
      const asked = await ofInputs("--policy", policy.slice(0, 8));
      expect(asked.length).toBeGreaterThan(edge.length);
      for (const { answers } of asked)
        expect(answers.map((answer: { policy: string }) => answer.policy)).toContain(policy);
    });

    it("writes JSON that reads as a log of decisions", async () => {
      const reader = new RecordReader();
      const lines = (await log("--json", inputs)).out.trimEnd().split("\n");
      const read = lines.map((line) => reader.read(line));
      expect(read.flatMap(({ damage }) => damage ?? [])).toEqual([]);
      expect(read.filter(({ inputs }) => inputs !== null)).toEqual([]);
      expect(read.some(({ record }) => record?.type === "decision" && record.mode === "enforce")).toBe(true);
    });
  });

  it("says that no record has an id", async () => {
    const { code, err } = await log("--id", `${ID}1`, "--id", "none", path);
    expect([code, err]).toEqual([2, expect.stringMatching(/no record has the id `none` \[RECORD_NOT_FOUND\]; check /)]);
  });

  it("rejects a time and a selector that are none, and a log that does not exist", async () => {
    expect((await log("--since", "soon", path)).err).toMatch(/`soon` is no time \[USAGE\]/);
    expect((await log("--label", "=", path)).err).toMatch(/SELECTOR_INVALID/);
    expect((await log("--follow", path, path)).err).toMatch(/USAGE/);
    expect(await log(join(folder, "none"))).toMatchObject({ code: 2, err: expect.stringMatching(/FILE_UNREADABLE/) });
  });

  it("reads the log of the configuration, and has nothing to show of an empty one", async () => {
    const config = join(folder, "countersign.yaml");
    writeFileSync(config, "version: 1\nattachments: []\nlog: { file: empty }\n");
    writeFileSync(join(folder, "empty"), "");
    expect(await log("--config", config)).toEqual({ code: 0, out: "", err: "" });
    writeFileSync(config, "version: 1\nattachments: []\n");
    expect(await log("--config", config)).toMatchObject({ code: 2, err: expect.stringMatching(/CONFIG_INVALID/) });
  });

  it("names each line that cannot be read, at most ten, and exits with 2", async () => {
    const damaged = join(folder, "damaged");
    writeFileSync(damaged, `${"{\n".repeat(12)}${LINES[0]}\n{"version":9}\n`);
    const { code, out, err } = await log(damaged);
    expect([code, out.split("\n").length]).toEqual([2, 2]);
    const told = err.trimEnd().split("\n");
    expect(told).toHaveLength(11);
    expect(told[9]).toMatch(/damaged:10: is cut off or damaged: .* \[LOG_DAMAGED\]; /);
    expect(told[10]).toBe("… and 3 more lines that cannot be read");
  });

  it("shows what a terminal would act on as text, also in JSON", async () => {
    const evil = "\x1b[2J\r\nx\u202e\u009b31m\0";
    const record = decision(1, {
      time: evil,
      hook: evil,
      verdict: -1,
      subject: { name: evil },
      denied_by: denial(null, evil),
      current: { comm: evil, container: { id: evil, name: evil, labels: { [evil]: evil } } },
    });
    const file = join(folder, "evil");
    writeFileSync(file, `${record}\n${JSON.stringify({ version: 2, type: "constructor" })}\n`);
    for (const words of [[], ["--json"]]) {
      const { out } = await log(...words, file);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(out.trimEnd().split("\n")).toHaveLength(2);
    }
    expect((await log(file)).out).toContain("`\\u{1b}[2J\\u{d}\\u{a}x\\u{202e}\\u{9b}31m\\u{0}`");
    expect(recordsIn((await log("--json", file)).out)[0]?.subject.name).toBe(evil);
  });

  it("shows every record that this version writes", { tags: ["deep"] }, async () => {
    const lines = await recordedLines();
    const file = join(folder, "all");
    writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
    const { code, out, err } = await log(file);
    expect([code, err]).toEqual([0, expect.not.stringContaining("countersign:")]);
    const printed = out.trimEnd().split("\n");
    expect(printed).toHaveLength(lines.length);
    expect(printed.filter((line) => /undefined|null|NaN|\(no /.test(line))).toEqual([]);
  });
});

describe("countersign log --follow", () => {
  it("shows what is appended, through rotation, and with --since what is there", { tags: ["deep"] }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "cli-follow-"));
    const path = join(folder, "log");
    writeFileSync(`${path}.1`, `${LINES[0]}\n`);
    writeFileSync(path, `${LINES[1]}\n`);
    const bin = new URL("../../../../bin/countersign.js", import.meta.url).pathname;
    const following = spawn(process.execPath, [
      bin,
      "log",
      "--follow",
      "--since",
      "2026-01-01T00:00:00Z",
      "--json",
      path,
    ]);
    let out = "";
    following.stdout.on("data", (text) => {
      out += text;
    });
    const until = async (ids: readonly number[]) => {
      const seen = () => recordsIn(out.slice(0, out.lastIndexOf("\n") + 1)).map(({ id }) => Number(id.at(-1)));
      while (seen().length < ids.length) await new Promise((resolve) => following.stdout.once("data", resolve));
      expect(seen()).toEqual(ids);
    };
    try {
      await until([0, 1]);
      appendFileSync(path, `${LINES[2]}\n`);
      await until([0, 1, 2]);
      appendFileSync(path, `${LINES[3]}\n`);
      renameSync(`${path}.1`, `${path}.2`);
      renameSync(path, `${path}.1`);
      writeFileSync(path, `${LINES[4]}\n`);
      await until([0, 1, 2, 3, 4]);
    } finally {
      following.kill("SIGINT");
    }
    const code = await new Promise((resolve) => following.once("exit", resolve));
    expect(code).toBe(0);
    rmSync(folder, { recursive: true });
  });
});
