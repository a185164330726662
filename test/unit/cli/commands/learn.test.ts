import { existsSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";
import { decide, inContainer, linesOf, observed } from "../../../support/learning.js";
import { switchKernel } from "../../../support/switch-kernel.js";
import { own, type Workplace } from "../../../support/workplace.js";

const SIGNED = ["peek-tc", "drop-telnet"];
const SEEN = [
  ["peek-tc"],
  ["drop-telnet", inContainer({ tier: "edge" })],
  ["exec-log", inContainer({ tier: "prod" })],
  ["rate-limit", inContainer(null)],
  ["kill-writer", inContainer({})],
] as const;

let place: Workplace;
beforeAll(async () => {
  place = await observed(SEEN, { signed: SIGNED });
});
afterAll(() => rmSync(place.folder, { recursive: true }));

const learn = (...words: readonly string[]) =>
  runCommand("learn", "--config", place.config, "--out", place.at("learnt"), ...words);
const log = () => place.at("decisions.jsonl");
const learnt = (name: string) => readFileSync(place.at(`learnt/${name}`), "utf8");
const map = () => JSON.parse(learnt("maps/learnt-programs.json"));

describe("countersign learn", () => {
  it.each([
    ["statement", [], "learnt from 6 loads: 2 by statement, 4 by digest"],
    ["statement", ["--label", "tier"], "learnt from 6 loads: 2 by statement, 4 by digest"],
    ["signer", ["--label", "tier"], "learnt from 6 loads: 4 by digest, 1 by signer"],
    ["digest", [], "learnt from 6 loads: 6 by digest"],
    ["effects", ["--label", "tier"], "learnt from 6 loads: 6 by effects"],
  ])(
    "--by %s %j writes a configuration that allows what was seen, whose tests pass, and that lint likes",
    async (by, more, first) => {
      const { code, out, err } = await learn("--by", by, ...more, "--check", log(), log());
      expect([code, err]).toEqual([0, ""]);
      expect(out.split("\n")[0]).toBe(first);
      expect(out).toContain("checked: 6 allowed, 0 denied, 0 unknown");
      const config = place.at("learnt/countersign.yaml");
      const tests = await runCommand("test", "--config", config);
      expect(tests, tests.out).toMatchObject({ code: 0, err: "" });
      expect(await runCommand("lint", config, place.at("learnt/policies/learnt.js"))).toMatchObject({
        code: 0,
        out: "2 files checked, nothing found\n",
      });
    },
  );

  it("names the programs that are learnt by digest, and for which kernel", async () => {
    const { out } = await learn(log());
    const { kernel } = JSON.parse(linesOf(place)[0]!);
    expect(out).toContain(
      `by digest, since no statement of theirs was verified, and for ${kernel} only (--objects and --btf add other kernels):\n`,
    );
    for (const name of ["log_exec (tracepoint)", "kill_writer (tracepoint)"]) expect(out).toContain(`\n  ${name} `);
    expect(out).not.toContain("peek");
  });

  it("tells tasks apart by a label, and denies elsewhere", async () => {
    await learn("--label", "tier", log());
    const entries = Object.values(map()) as { programs: string[]; where: string[] }[];
    const where = Object.fromEntries(entries.map((entry) => [entry.programs[0], entry.where]));
    expect(where).toEqual({
      peek: ["host"],
      drop_telnet: ["tier=edge"],
      log_exec: ["tier=prod"],
      limit: ["unknown labels"],
      measure: ["unknown labels"],
      kill_writer: ["no tier"],
    });
    const check = (...words: readonly string[]) =>
      runCommand("check", "--config", place.at("learnt/countersign.yaml"), own("examples/exec-log.o"), ...words);
    expect(await check("--label", "tier=prod")).toMatchObject({ code: 0 });
    expect(await check("--label", "tier=edge")).toMatchObject({ code: 1 });
    expect(await check()).toMatchObject({ code: 1 });
  });

  it("writes the same files for the same loads in another order", { tags: ["deep"] }, async () => {
    const other = await observed([...SEEN].reverse(), { signed: SIGNED });
    for (const by of ["statement", "effects"]) {
      await learn("--by", by, "--label", "tier", log());
      const files = ["policies/learnt.js", "policies/learnt.test.yaml", "maps/learnt-programs.json"];
      const before = files.map(learnt);
      await learn("--by", by, "--label", "tier", other.at("decisions.jsonl"));
      // Each workplace has a CA of its own
      expect(files.map(learnt)).toEqual(before);
    }
    rmSync(other.folder, { recursive: true });
  });

  it("says with --check what the result denies, and exits with 1", { tags: ["deep"] }, async () => {
    const next = await observed([["peek-tc"], ["xdp-steer"]], { signed: SIGNED });
    const { code, out } = await learn("--by", "digest", "--check", next.at("decisions.jsonl"), log());
    expect(code).toBe(1);
    expect(out).toMatch(/checked: 1 allowed, 3 denied, 0 unknown\n/);
    expect(out).toMatch(/1 × `\w+`: denied: learnt: digest [0-9a-f]{64} \(xdp\) was not learnt \[[0-9a-f-]{36}\]/);
    const json = await learn("--json", "--by", "digest", "--check", next.at("decisions.jsonl"), log());
    expect(JSON.parse(json.out).check).toMatchObject({ allowed: 1, denied: 3, unknown: 0 });
    rmSync(next.folder, { recursive: true });
  });

  it("says that a load of --check is unknown if its keyring is another, and exits with 2", {
    tags: ["deep"],
  }, async () => {
    const next = await observed([["peek-tc"]], { signed: SIGNED });
    const { code, out } = await learn("--check", next.at("decisions.jsonl"), log());
    expect(code).toBe(2);
    expect(out).toContain("checked: 0 allowed, 0 denied, 1 unknown");
    expect(out).toContain("unknown without signatures by keyring `platform`, which is another than recorded");
    rmSync(next.folder, { recursive: true });
  });

  it("leaves out denied loads, or learns them with --include-denied", { tags: ["deep"] }, async () => {
    const denying = await observed(SEEN, { mode: "enforce", policy: "no-kernel-read.js" });
    const words = ["learn", "--out", denying.at("learnt"), "--by", "digest"] as const;
    const without = await runCommand(...words, denying.at("decisions.jsonl"));
    expect(without.out).toMatch(
      /^learnt from [1-5] loads: .*\nleft out: [1-5] denied loads? \(see --include-denied\)\n/,
    );
    const all = await runCommand(...words, "--include-denied", denying.at("decisions.jsonl"));
    expect(all.out).toMatch(/^learnt from 6 loads: 6 by digest\n/);
    expect(all.out).not.toContain("left out");
    rmSync(denying.folder, { recursive: true });
  });

  it("says that the log does not have who signed a program", { tags: ["deep"] }, async () => {
    const unasked = await observed([["peek-tc"], ["exec-log"]], { signed: SIGNED, policy: "no-kernel-read.js" });
    const words = ["--config", unasked.config, "--out", unasked.at("learnt"), unasked.at("decisions.jsonl")];
    const line = "1 of them matches a statement that no policy asked about: record with policies/observe.js\n";
    expect((await runCommand("learn", ...words)).out).toContain(line);
    expect((await runCommand("learn", "--by", "digest", ...words)).out).not.toContain(line);
    expect((await learn(log())).out).not.toContain("no policy asked about");
    rmSync(unasked.folder, { recursive: true });
  });

  it("learns the digests on other kernels with --objects and --btf", async () => {
    const watch = own("examples/switch-watch.o");
    const kernels = [1280, 1344].map((at) => place.write(`kernels/${at}/vmlinux`, switchKernel({ at }).bytes()));
    const btf = kernels.flatMap((kernel) => ["--btf", kernel]);
    const relocated = await observed([]);
    await runCommand("check", "--config", relocated.config, "--btf", kernels[0]!, watch, "--log");
    const words = ["--config", relocated.config, "--out", relocated.at("learnt"), relocated.at("decisions.jsonl")];
    const known = await runCommand("learn", "--no-cache", "--objects", watch, ...btf, ...words);
    expect(known.code, known.err).toBe(0);
    expect(known.out).toMatch(/^learnt from 1 load: 2 by digest\n/);
    expect(known.out).not.toContain("watch_switch");
    const map = JSON.parse(readFileSync(relocated.at("learnt/maps/learnt-programs.json"), "utf8"));
    expect(Object.values(map)).toEqual(
      expect.arrayContaining(
        kernels.map((kernel) => ({ programs: ["watch_switch"], kernels: [kernel], object: watch })),
      ),
    );
    const other = own("examples/exec-log.o");
    const unknown = await runCommand("learn", "--no-cache", "--objects", other, ...btf, ...words);
    expect(unknown.out).toMatch(/^learnt from 1 load: 1 by digest\n/);
    expect(unknown.out).toContain("  watch_switch (tracing) ");
    rmSync(relocated.folder, { recursive: true });
  });

  it("replaces its own files, and no others", async () => {
    expect(await runCommand("learn", "--by", "digest", "--out", place.folder, log())).toMatchObject({
      code: 2,
      err: expect.stringMatching(/countersign\.yaml: was not made by `learn`, and would be replaced \[USAGE\]/),
    });
    expect(existsSync(place.at("maps"))).toBe(false);
  });

  it("needs the configuration with the keyrings of the log", async () => {
    place.write("other/countersign.yaml", "version: 1\nattachments: []\n");
    const out = ["--out", place.at("learnt-other")] as const;
    expect(await runCommand("learn", "--config", place.at("other/countersign.yaml"), ...out, log())).toMatchObject({
      code: 2,
      err: expect.stringContaining("has no keyring `platform`, which verified statements in the log [CONFIG_INVALID]"),
    });
    expect(existsSync(place.at("learnt-other"))).toBe(false);
  });

  it("says that there is nothing to learn", async () => {
    const empty = place.write("empty.jsonl", "");
    expect(await learn(empty)).toMatchObject({
      code: 2,
      err: expect.stringContaining("has no load to learn [LEARN_NOTHING]"),
    });
    const plain = await observed(SEEN, { log: "level: decision" });
    expect(await learn(plain.at("decisions.jsonl"))).toMatchObject({
      code: 2,
      err: expect.stringContaining("has no load to learn: the record has `log.level: decision` [LEARN_NOTHING]"),
    });
    rmSync(plain.folder, { recursive: true });
  });

  it("rejects options that contradict each other", async () => {
    expect(await learn("--btf", "vmlinux", log())).toMatchObject({
      code: 2,
      err: expect.stringContaining("--objects"),
    });
    expect(await learn("--label", "__proto__", log())).toMatchObject({
      code: 2,
      err: expect.stringContaining("[USAGE]"),
    });
    expect(await learn("--label", "", log())).toMatchObject({ code: 2, err: expect.stringContaining("[USAGE]") });
  });

  it("takes the log of the configuration, and several logs", { tags: ["deep"] }, async () => {
    const growing = await observed(SEEN, { signed: SIGNED });
    const words = ["learn", "--config", growing.config, "--out", growing.at("learnt")];
    const before = await runCommand(...words);
    await decide(growing, [["peek-tc"]]);
    expect([before.code, before.out]).toEqual([0, expect.stringMatching(/^learnt from 6 loads/)]);
    const path = growing.at("decisions.jsonl");
    expect((await runCommand(...words, path, path)).out).toMatch(/^learnt from 7 loads/);
    rmSync(growing.folder, { recursive: true });
  });
});
