import { describe, expect, it } from "vitest";
import { scanLines } from "../../../src/cli/output/scan-lines.js";
import { scanText } from "../../../src/cli/output/scan-text.js";
import { archiveOf, examinedAnswers, examinedIn } from "../../support/scans.js";

type Answers = ReturnType<typeof examinedAnswers>;

async function examined(change: (answers: Answers) => void = () => {}) {
  const answers = examinedAnswers();
  change(answers);
  const found = await examinedIn(await archiveOf(answers));
  const [line] = [...scanLines(found.scan, found, null)] as { [key: string]: unknown }[];
  return { ...found, line: line!, rows: scanText(found.scan, found, null).split("\n") };
}

describe("what is found out about a program", () => {
  it("is which known program it is, what it can at most do, and its digest", async () => {
    const { line, rows } = await examined();
    expect(line.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(line.identified).toEqual({
      by: "digest",
      programs: [expect.objectContaining({ file: "/usr/bin/limit", offset: 64, name: "limit", digest: line.digest })],
    });
    expect(line.effects).toMatchObject({ decides: false, read_only: true });
    expect(line.effects_unknown).toEqual([]);
    expect(rows.slice(3, 5)).toEqual([
      "PROGRAM  KNOWN AS               CAN AT MOST",
      "37       limit: limit (digest)  nothing",
    ]);
  });

  it("is identified by its tag where the kernel keeps no digest", async () => {
    const reason = "the kernel keeps no digests";
    const { line, rows } = await examined((answers) => {
      answers.set("@kernel/digests", Buffer.from(`- ${reason}\n`));
    });
    expect(line).toMatchObject({ digest: null, identified: { by: "tag" } });
    expect(rows.slice(4, 7)).toEqual(["37       limit: limit (tag)  nothing", "", `no digests: ${reason}`]);
  });

  it.each([
    ["with another digest", "@kernel/digests", Buffer.from(`37 ${"0".repeat(64)}\n`)],
    ["whose references to maps are hidden", "proc/sys/net/core/bpf_jit_harden", Buffer.from("2\n")],
    ["that no file has", "proc/12/maps", Buffer.from("")],
    ["whose file another process provides", "proc/12/mountinfo", Buffer.from("21 1 254:0 / / rw - fuse.x x rw\n")],
    ["whose file is of a device that is not mounted", "proc/12/mountinfo", Buffer.from("")],
    ["whose file is gone", "@files/12/%2Fusr%2Fbin%2Flimit/@identity", -2],
    ["of a kernel whose types are not known", "@bpf/btf/1/bytes", -2],
  ] as const)("is not identified %s", async (_, name, raw) => {
    const { line, rows } = await examined((answers) => answers.set(name, raw));
    expect(line.identified).toBeNull();
    expect(rows[4]).toMatch(/^37 +- /);
  });

  it("is that it can do anything, and why, where its instructions are not known", async () => {
    const { line, rows } = await examined((answers) => answers.set("@bpf/program/37/translated", -1));
    expect(line).toMatchObject({ effects: null, effects_unknown: ["its instructions cannot be read (EPERM)"] });
    expect(rows[4]).toContain("anything: its instructions cannot be read (EPERM)");
  });

  it("is rejected where an archive has no such lists", async () => {
    for (const [name, bytes] of [
      ["@kernel/digests", "37 abc\n"],
      ["@files/12/%2Fusr%2Fbin%2Flimit/@objects", "{"],
      ["@files/12/%2Fusr%2Fbin%2Flimit/@objects", '[{"offset":-1.5,"sha256":"00"}]'],
      ["@files/12/%2Fusr%2Fbin%2Flimit/@objects", "[null]"],
    ] as const)
      await expect(examined((answers) => answers.set(name, Buffer.from(bytes)))).rejects.toMatchObject({
        code: "SCAN_ARCHIVE_INVALID",
      });
  });
});
