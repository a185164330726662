import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";
import { askProgram, recordDenial } from "../../../support/denials.js";
import { switchKernel } from "../../../support/switch-kernel.js";
import { own, Workplace } from "../../../support/workplace.js";

const POLICY = `import { deny } from "countersign";
export const blob_verify = (blob) => blob.name === "known" ? 0 : deny("is not known");
`;
let place: Workplace;
let lines: readonly string[];
let id: string;
beforeAll(async () => {
  ({ place, lines } = await recordDenial({ policy: POLICY }));
  id = JSON.parse(lines.at(-1)!).id;
});

const explain = (...words: string[]) => runCommand("explain", ...words);
const log = () => place.at("decisions.jsonl");
const logOf = (name: string, given: readonly string[]) => place.write(name, given.map((line) => `${line}\n`).join(""));

describe("countersign explain", () => {
  it("shows the decision with an id, and without one the newest denial of the configuration's log", {
    tags: ["deep"],
  }, async () => {
    const { code, out, err } = await explain("--log", log(), id);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^denied -EPERM blob_verify `blob` for bpftool \(pid 1, uid 0\)\n/);
    expect(out).toContain("returned -EPERM at policy.js:2:38");
    expect(out).toContain(`${id}, `);
    expect(await explain("--config", place.config)).toEqual({ code, out, err });
  });

  it("writes JSON with the same", async () => {
    const { code, out } = await explain("--config", place.config, "--json", id);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      id,
      outcome: "denied",
      enforced_verdict: -1,
      denied_by: { attachment: "a", code: "DENIED_BY_POLICY" },
      executed: { result: "same", limits: [] },
      attachments: [
        {
          name: "a",
          in_scope: true,
          trace: [
            { event: "read", fact: "blob.name", value: "blob" },
            { event: "branch", arm: "condition is false", file: "policy.js", line: 2, column: 38 },
            { event: "return", line: 2, column: 38 },
          ],
          returned: { file: "policy.js", line: 2, column: 38 },
        },
      ],
    });
  });

  it("says how to name a log if it is given in the place of a file", async () => {
    const other = new Workplace("  - policy: p.js\n");
    other.write("p.js", "export const bpf_prog_load = () => 0;\n");
    const { code, err } = await explain("--config", other.config, log());
    expect(code).toBe(2);
    expect(err).toContain(
      `[ELF_NO_PROGRAMS]; name a BPF object; or, to explain a decision of a log, \`--log ${log()}\``,
    );
    expect((await explain("--config", other.config, other.at("p.js"))).err).not.toContain("--log");
  });

  it("says that no record has an id, or that there is no denial", async () => {
    const unknown = await explain("--log", log(), "01a220c3-2003-72f9-a12f-3bc8cdc67ab8");
    expect([unknown.code, unknown.out]).toEqual([2, ""]);
    expect(unknown.err).toContain("[RECORD_NOT_FOUND]; check the id");
    const none = await explain("--log", logOf("none.jsonl", lines.slice(0, -1)));
    expect([none.code, none.out]).toEqual([2, ""]);
    expect(none.err).toContain("[RECORD_NOT_FOUND]; name the id");
  });

  it.each([
    ["--uid", "5"],
    ["--label", "tier=edge"],
    ["--comm", "tc"],
    ["--as", "current.json"],
    ["--at", "2026-01-31T12:00:00Z"],
    ["--hook", "blob_verify"],
    ["--signature", "blob.p7s"],
  ])("rejects %s with a recorded decision, which it does not change", async (option, value) => {
    const { code, out, err } = await explain("--log", log(), option, value, id);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(`${option} is for files, and a recorded decision has what it was made from [USAGE]`);
  });

  it("rejects --json with --html, and names an id as what a missing file may have been", async () => {
    const both = await explain("--log", log(), "--json", "--html", place.at("why.html"), id);
    expect([both.code, both.err]).toEqual([2, expect.stringContaining("cannot be used with option `--html <file>`")]);
    const missing = await explain("--config", place.config, id.slice(0, 8));
    expect([missing.code, missing.err]).toEqual([
      2,
      expect.stringMatching(/: cannot be read: ENOENT .*; name a file, or/),
    ]);
  });

  it("explains the first of several decisions with one id, and names the others", { tags: ["deep"] }, async () => {
    const { code, out, err } = await explain("--log", logOf("twice.jsonl", [...lines, lines.at(-1)!]), id);
    expect(code).toBe(2);
    expect(out).toContain("executed again from the record: the same decision");
    expect(err).toMatch(/twice\.jsonl:\d+: has the id of an earlier decision, at .*\[LOG_DAMAGED\]/);
  });

  it("shows what the record holds if an input is missing, and names the input", async () => {
    for (const [type, missing] of [
      ["subject", "the subject, which is not in the log"],
      ["caller", "caller "],
      ["configuration", "configuration "],
    ] as const) {
      const path = logOf(
        `${type}.jsonl`,
        lines.filter((line) => !line.includes(`"type":"${type}"`)),
      );
      const { code, out } = await explain("--log", path, id);
      expect(code).toBe(0);
      expect(out).toContain(`not executed again, since the log lacks ${missing}`);
      expect(out).toContain("Why: a: is not known [DENIED_BY_POLICY]");
    }
  });

  it("shows what a record of level `decision` holds", async () => {
    const its = await recordDenial({
      policy: POLICY,
      prepare: (place) => {
        place.write("countersign.yaml", readFileSync(place.config, "utf8").replace("level: inputs", "level: decision"));
      },
    });
    const { code, out } = await explain("--log", its.place.at("decisions.jsonl"));
    expect(code).toBe(0);
    expect(out).toContain("not executed again, since the log lacks the inputs: the record has `log.level: decision`");
    expect(out).toContain("a (enforce) was asked");
  });

  it("shows the instructions of --object, and with --btf as they are on that kernel", { tags: ["deep"] }, async () => {
    const its = await recordDenial({
      policy:
        'import { deny } from "countersign";\nexport const bpf_prog_load = (prog) => prog.effects.reads_kernel_memory ? deny("reads") : 0;\n',
      ask: askProgram("peek-tc"),
    });
    const kernel = its.place.write("kernel.btf", switchKernel({ at: 32 }).bytes());
    const log = ["--log", its.place.at("decisions.jsonl")];
    const peek = ["--object", own("examples/peek-tc.o")];
    const plain = await explain(...log, ...peek);
    expect([plain.code, plain.err]).toEqual([0, ""]);
    expect(plain.out).toMatch(/> +\d+: /);
    const on = await explain(...log, ...peek, "--btf", kernel, "--no-cache");
    expect([on.code, on.out]).toEqual([0, plain.out]);
    const alone = await explain(...log, "--btf", kernel);
    expect([alone.code, alone.out]).toEqual([2, ""]);
    expect(alone.err).toContain("--btf is for --object or for files");
  });

  it("decides about files as they are on the kernel of --btf", { tags: ["deep"] }, async () => {
    const its = new Workplace("  - { policy: signals.js, limits: { timeout: 5s } }\n");
    its.write(
      "signals.js",
      'import { deny } from "countersign";\nexport const bpf_prog_load = (prog) => prog.effects.sends_signal ? deny("sends a signal") : 0;\n',
    );
    const guarded = own("test/unit/bpf/fixtures/guarded.o");
    const outcomes = async (bytes: Uint8Array) => {
      const kernel = ["--btf", its.write("kernel.btf", bytes), "--no-cache"];
      const { out } = await explain("--config", its.config, "--json", ...kernel, guarded);
      return JSON.parse(out).map(({ outcome, evidence }: { outcome: string; evidence: { code: string[] }[] }) => {
        for (const { code } of evidence) expect(code.length).toBeGreaterThan(0);
        return outcome;
      });
    };
    const { out } = await explain("--config", its.config, "--json", guarded);
    const unrelocated = JSON.parse(out).map(({ outcome }: { outcome: string }) => outcome);
    const bare = await outcomes(switchKernel({ target: false }).bytes());
    expect(unrelocated).toContain("denied");
    expect(bare).toHaveLength(unrelocated.length);
    expect(bare).not.toEqual(unrelocated);
  });

  it("shows the instructions that `log.programs` of the configuration keeps", { tags: ["deep"] }, async () => {
    const its = await recordDenial({
      policy:
        'import { deny } from "countersign";\nexport const bpf_prog_load = (prog) => prog.effects.reads_kernel_memory ? deny("reads") : 0;\n',
      config: "",
      prepare: (place) =>
        void place.write(
          "countersign.yaml",
          `version: 1\nlog: { file: decisions.jsonl, level: inputs, programs: programs }\nattachments: [{ name: a, policy: policy.js, limits: { timeout: 5s } }]\n`,
        ),
      ask: askProgram("peek-tc"),
    });
    const { code, out, err } = await explain("--config", its.place.config);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/> +\d+: /);
    const named = await explain("--log", its.place.at("decisions.jsonl"));
    expect([named.code, /> +\d+: /.test(named.out)]).toEqual([0, false]);
  });

  it("explains what a configuration decides about files, with the instructions of effects", {
    tags: ["deep"],
  }, async () => {
    const attachments = "  - { policy: policies/no-kernel-read.js, scope: { uid: 7 }, limits: { timeout: 5s } }\n";
    const its = new Workplace(attachments);
    its.policy("no-kernel-read.js");
    const [peek, drop] = [own("examples/peek-tc.o"), own("examples/drop-telnet.o")];
    const config = ["--config", its.config];
    const denied = await explain(...config, "--uid", "7", peek);
    expect([denied.code, denied.err]).toEqual([0, ""]);
    expect(denied.out).toMatch(/^denied -EPERM bpf_prog_load `peek` for a task \(uid 7\)\n/);
    expect(denied.out).toMatch(/\n {6}> +\d+: /);
    const both = await explain(...config, "--json", peek, drop, its.at("none.o"));
    expect(both.code).toBe(2);
    expect(both.err).toContain("none.o: cannot be read");
    const outcomes = (JSON.parse(both.out) as { outcome: string; subject: { name: string } }[]).map((one) => [
      one.subject.name,
      one.outcome,
    ]);
    expect(outcomes).toEqual([
      ["peek", "allowed"],
      ["drop_telnet", "allowed"],
    ]);
    expect((await explain(...config, "--object", peek, drop, peek)).err).toContain("[USAGE]");
  });

  it("shows the instructions of an object, and writes a page", { tags: ["deep"] }, async () => {
    const its = await recordDenial({
      policy: {},
      attachments: "  - { policy: policies/no-kernel-read.js, limits: { timeout: 5s } }\n",
      prepare: (folder) => void folder.policy("no-kernel-read.js"),
      ask: askProgram("peek-tc"),
    });
    const named = ["--config", its.place.config, "--object"];
    expect((await explain(...named, own("examples/peek-tc.o"))).out).toMatch(/\n {6}> +\d+: /);
    const other = await explain(...named, own("examples/drop-telnet.o"));
    expect(other.code).toBe(2);
    expect(other.err).toContain("[ELF_NO_PROGRAMS]; name the object that was loaded");
    const page = its.place.at("why.html");
    const written = await explain(...named, own("examples/peek-tc.o"), "--html", page);
    expect(written).toEqual({ code: 0, out: "", err: "" });
    expect(readFileSync(page, "utf8")).toMatch(/<pre>.*&gt; +\d+: /s);
  });

  it("has colours on a terminal alone", async () => {
    expect((await explain("--log", log(), id)).out).not.toContain("\u001b");
  });
});
