import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { Kernel } from "../../../../src/bpf/relocate.js";
import { filePrograms } from "../../../../src/loaded/identify/file-programs.js";
import { example } from "../../../support/examples.js";
import { switchKernel } from "../../../support/switch-kernel.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-known-"));
afterAll(() => rmSync(folder, { recursive: true }));

const kernel = new Kernel(new Btf(switchKernel().bytes(), "kernel", null), () => []);
const at = (name: string) => join(folder, name);
writeFileSync(at("a.o"), example("drop-telnet"));
writeFileSync(at("text"), "no ELF file");
symlinkSync(at("a.o"), at("link"));

/** The names of programs, and what is said to be left out. */
function known(file: Parameters<typeof filePrograms>[0]) {
  const reasons: string[] = [];
  const names = Array.from(
    filePrograms(file)(kernel, (reason) => reasons.push(reason)),
    ({ name }) => name,
  );
  return { names, reasons };
}

it("knows the programs of an object", () => {
  const { names, reasons } = known(() => [{ path: at("a.o") }]);
  expect(names.length).toBeGreaterThan(0);
  expect(reasons).toEqual([]);
});

it.each(["text", "link", "missing"])("says that it leaves out a file that the user named: %s", (name) => {
  expect(known(() => [{ path: at(name) }])).toEqual({
    names: [],
    reasons: [`${at(name)} is no ELF file of at most 256 MiB that can be read`],
  });
});

it("says nothing of files of packages, most of which are no ELF files", () => {
  const its = () => ({ name: "p", version: "1", isUnchanged: true });
  expect(known(() => [{ path: at("text"), package: its }])).toEqual({ names: [], reasons: [] });
});
