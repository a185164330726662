/** Kernel modules that the guard denies always: `seal build` lists none of them, whatever the policies say. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseFileList } from "../../../../../src/seal/files.js";
import { NEVER_MODULES } from "../../../../../src/seal/guard/never-modules.js";
import { runCommand } from "../../../../support/command-line.js";
import { switchKernel } from "../../../../support/switch-kernel.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-seal-modules-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A module as far as `seal build` reads it. */
function module(name: string): Buffer {
  return Buffer.from(`\x7fELF\0license=GPL\0name=${name}\0vermagic=6.12\0`, "latin1");
}

beforeAll(() => {
  writeFileSync(at("kernel.btf"), switchKernel().bytes());
  mkdirSync(at("modules"));
  for (const { name } of NEVER_MODULES) {
    writeFileSync(at(`modules/${name}.ko`), module(name));
    writeFileSync(at(`modules/${name}-copy.ko.gz`), gzipSync(module(name)));
  }
  writeFileSync(at("modules/dummy.ko"), module("dummy"));
});

/** Builds a list of the folder of modules under a policy for them. */
async function build(policy: string) {
  writeFileSync(at("p.js"), policy);
  writeFileSync(
    at("c.yaml"),
    "version: 1\nattachments: [{ hooks: [kernel_read_file], policy: p.js, mode: enforce }]\n",
  );
  const words = ["--config", at("c.yaml"), "--btf", at("kernel.btf"), "--out", at("lists"), "--no-probes", "--json"];
  const { code, out, err } = await runCommand("seal", "build", ...words, "--modules", at("modules"));
  expect(out, err).not.toBe("");
  const rows = out
    .trim()
    .split("\n")
    .map((line): { file: string; result: string; reason: string | null } => JSON.parse(line));
  const list = readdirSync(at("lists")).find((name) => name.endsWith(".files"))!;
  const { digests } = parseFileList(readFileSync(at(`lists/${list}`)));
  return { code, results: new Map(rows.map((row) => [row.file.slice(folder.length + 9), row])), digests };
}

describe("seal build with modules that root can write memory by", () => {
  it("lists none of them, compressed or not, and exits with 0", { tags: ["deep"] }, async () => {
    const { code, results, digests } = await build("export const kernel_read_file = () => 0;");
    for (const { name, parameter } of NEVER_MODULES)
      for (const file of [`${name}.ko`, `${name}-copy.ko.gz`]) {
        expect(results.get(file), file).toMatchObject({ result: "never" });
        expect(results.get(file)!.reason).toContain(`its parameter \`${parameter}\``);
      }
    expect(results.get("dummy.ko")).toMatchObject({ result: "listed", reason: null });
    expect(digests.modules).toEqual(createHash("sha256").update(module("dummy")).digest());
    expect(code).toBe(0);
  });

  it("says that policies deny them where they do", { tags: ["deep"] }, async () => {
    const { code, results } = await build("export const kernel_read_file = () => -1;");
    expect([...results.values()].map(({ result }) => result)).toEqual(Array.from(results, () => "denied"));
    expect(code).toBe(0);
  });
});
