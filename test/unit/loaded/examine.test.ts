import { describe, expect, it } from "vitest";
import { scanLines } from "../../../src/cli/output/scan-lines.js";
import { scanText } from "../../../src/cli/output/scan-text.js";
import { PROGRAM_FIELDS } from "../../../src/loaded/views/program-report.js";
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

  it("is the form of what a tool generates, by its attach type, where it is not identified", async () => {
    // what runc generates for a container that may use all devices, and the attach types of bpf(2)
    const hex =
      "6112000000000000 54020000ffff0000 6113000000000000 7403000010000000 6114040000000000 6115080000000000".replaceAll(
        " ",
        "",
      );
    const insns = Buffer.from(`${hex}b4000000010000009500000000000000`, "hex");
    const [DEVICE, SYSCTL] = [6, 18];
    const made = (attachType: number) =>
      examined((answers) => {
        const info = Buffer.from(answers.get("@bpf/program/37/info") as Uint8Array);
        info.writeUInt32LE(15, PROGRAM_FIELDS.type);
        info.write("0102030405060708", PROGRAM_FIELDS.tag, "hex");
        info.writeUInt32LE(insns.length, PROGRAM_FIELDS.xlated_prog_len);
        answers.set("@bpf/program/37/info", info);
        answers.set("@bpf/program/37/translated", insns);
        answers.set("sys/fs/cgroup/a/@programs", Buffer.from(Uint32Array.of(attachType, 37).buffer));
      });
    const { line, rows } = await made(DEVICE);
    expect(line).toMatchObject({
      ...{ type: "cgroup_device", identified: null },
      form: { tool: "runc", purpose: "device rules of a container", attach_type: "cgroup_device" },
    });
    expect(rows).toContain("37       like runc: device rules of a container (form)  nothing");
    expect((await made(SYSCTL)).line.form).toBeNull();
    expect((await examined()).line).toMatchObject({ identified: { by: "digest" }, form: null });
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
