import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ObjectFacts } from "../../src/bpf/facts.js";
import type { Decision } from "../../src/hooks/decision.js";
import { embeddedObjects, objectFiles } from "../support/debian-objects.js";
import { type DumpedProgram, dumpedPrograms } from "../support/objdump.js";

const bin = fileURLToPath(new URL("../../bin/countersign.js", import.meta.url));

interface Checked {
  readonly file: string;
  readonly decisions: readonly Decision[];
  readonly error: object | null;
}

describe("`countersign check` on the objects of xdp-tools, libxdp1 and libbpf-tools, by allow-unsigned-tc", () => {
  let folder: string;
  let files: string[];
  let dumped: Map<string, DumpedProgram[]>;
  let checked: Checked[];

  const countersign = (...words: string[]) =>
    spawnSync(process.execPath, [bin, ...words], { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    mkdirSync(join(folder, "objects"));
    const objects = [...objectFiles("xdp-tools", "libxdp1"), ...embeddedObjects("libbpf-tools")];
    files = objects.map(({ name }) => `objects/${name.replaceAll("/", "-")}`);
    objects.forEach(({ bytes }, index) => {
      writeFileSync(join(folder, files[index] as string), bytes);
    });
    dumped = new Map(files.map((file) => [file, dumpedPrograms(join(folder, file))]));
    // what `init` makes is attached: allow-unsigned-tc
    execFileSync(process.execPath, [bin, "init", "site"], { cwd: folder });
    const { status, stdout, stderr } = countersign("check", "--config", "site/countersign.yaml", "--json", ...files);
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
    checked = JSON.parse(stdout);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("gives a decision for each program, none skipped in silence", () => {
    expect(files.length).toBeGreaterThanOrEqual(70);
    expect(checked.map(({ file, error }) => [file, error])).toEqual(files.map((file) => [file, null]));
    for (const { file, decisions } of checked) {
      const names = dumped.get(file)?.map(({ name }) => name);
      expect(decisions.map(({ subject }) => subject.name).sort(), file).toEqual(names?.sort());
      for (const { answers } of decisions)
        expect(answers.map(({ attachment, fault }) => [attachment, fault])).toEqual([["allow-unsigned-tc", null]]);
    }
  });

  it("refuses each for what its facts say, since none is an unsigned tc program", () => {
    const facts = JSON.parse(countersign("inspect", "--json", ...files).stdout) as (ObjectFacts & { file: string })[];
    const expected = facts.flatMap(({ file, programs }) =>
      programs.map(({ name, type, effects }) => {
        expect(type, `${file} ${name}`).not.toBe("sched_cls");
        const why = effects.reads_kernel_memory
          ? "reads kernel memory and is not signed"
          : "only tc programs may be unsigned";
        return `${file} ${name}: allow-unsigned-tc: ${why}`;
      }),
    );
    const given = checked.flatMap(({ file, decisions }) =>
      decisions.map(({ subject, refusal }) => `${file} ${subject.name}: ${refusal?.reason.replace(/ \(.*$/, "")}`),
    );
    expect(given).toEqual(expected);
    expect(new Set(given.map((line) => line.split(": ").at(-1))).size).toBe(2);
  });

  it("decides on them inside the programs that carry them, too", () => {
    const program = "/usr/sbin/opensnoop-libbpf";
    const { status, stdout } = countersign("check", "--config", "site/countersign.yaml", "--json", program);
    const names = dumped.get("objects/libbpf-tools-opensnoop-libbpf")?.map(({ name }) => name);
    expect(status).toBe(1);
    expect((JSON.parse(stdout) as Checked).decisions.map(({ subject }) => subject.name).sort()).toEqual(names?.sort());
  });
});
