/** Files that cannot be listed: `seal build` exits with 2 and writes nothing. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../../../support/command-line.js";
import { example } from "../../../../support/examples.js";
import { switchKernel } from "../../../../support/switch-kernel.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-seal-unreadable-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** By what they are, files that are named to `seal build` beside a good object. */
const FILES: Readonly<Record<string, () => Uint8Array | null>> = {
  "an executable without BPF": () => readFileSync("/bin/sh"),
  "a text": () => Buffer.from("no object\n"),
  "an empty file": () => Buffer.alloc(0),
  "an object that is cut off": () => example("peek-tc").subarray(0, 200),
  "no file": () => null,
};

beforeAll(() => {
  writeFileSync(at("kernel.btf"), switchKernel().bytes());
  writeFileSync(at("other.btf"), switchKernel({ at: 8 }).bytes());
  writeFileSync(at("good.o"), example("peek-tc"));
  writeFileSync(at("p.js"), "export const bpf_prog_load = () => 0;");
  writeFileSync(at("c.yaml"), "version: 1\nattachments: [{ hooks: [bpf_prog_load], policy: p.js, mode: enforce }]\n");
});

beforeEach(() => rmSync(at("lists"), { recursive: true, force: true }));

async function build(...objects: readonly string[]) {
  const kernels = ["--btf", at("kernel.btf"), "--btf", at("other.btf")];
  return runCommand(
    "seal",
    "build",
    "--config",
    at("c.yaml"),
    ...kernels,
    "--modules",
    "all-signed",
    "--out",
    at("lists"),
    ...objects.map(at),
  );
}

describe("seal build with a file that it cannot read", () => {
  it.each(Object.entries(FILES))("writes nothing for %s, and exits with 2", { tags: ["deep"] }, async (_, contents) => {
    const bytes = contents();
    rmSync(at("bad.o"), { force: true });
    if (bytes !== null) writeFileSync(at("bad.o"), bytes);
    for (const objects of [["good.o", "bad.o"], ["bad.o", "good.o"], ["bad.o"]]) {
      const { code, err } = await build(...objects);
      expect([code, existsSync(at("lists")) ? readdirSync(at("lists")) : []], err).toEqual([2, []]);
    }
  });

  it("keeps the lists of an earlier build as they are", { tags: ["deep"] }, async () => {
    mkdirSync(at("lists"));
    writeFileSync(at("lists/signers.pem"), "of an earlier build");
    writeFileSync(at("bad.o"), "no object");
    expect((await build("good.o", "bad.o")).code).toBe(2);
    expect(readdirSync(at("lists"))).toEqual(["signers.pem"]);
    expect(readFileSync(at("lists/signers.pem"), "utf8")).toBe("of an earlier build");
  });

  it("writes a list for each kernel if it can read all files", async () => {
    const { code, err } = await build("good.o");
    expect(code, err).toBe(0);
    expect(readdirSync(at("lists")).filter((name) => name.endsWith(".list"))).toHaveLength(2);
  });
});
