import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { Kernel } from "../../../../src/bpf/relocate.js";
import { recordedPrograms } from "../../../../src/loaded/identify/recorded-programs.js";
import { switchKernel } from "../../../support/switch-kernel.js";
import { EXIT, set, wide } from "../../../support/translated.js";

const folder = mkdtempSync(join(tmpdir(), "recorded-"));
afterAll(() => rmSync(folder, { recursive: true }));
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function keep(bytes: Uint8Array, name = sha256(bytes)): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

function known(isSha256 = true) {
  const reasons: string[] = [];
  const kernel = new Kernel(new Btf(switchKernel({ sha256: isSha256 }).bytes()));
  const programs = [...recordedPrograms(folder)(kernel, (reason) => reasons.push(reason))];
  return { byFile: new Map(programs.map((program) => [program.file, program])), reasons };
}

describe("recorded programs", () => {
  const zeroed = Buffer.concat([wide(1, 1, 0), wide(2, 2, 0, 0), set(0, 0), EXIT]);
  const raw = Buffer.concat([wide(1, 1, 5), wide(2, 2, 6, 16), set(0, 0), EXIT]);
  const files = [keep(zeroed), keep(raw), keep(Buffer.concat([set(0, 1), EXIT]))] as const;
  keep(Buffer.concat([set(0, 2), EXIT]), "0".repeat(64));
  keep(Buffer.from("no instructions"));
  writeFileSync(join(folder, "readme"), "");

  it("have the digest and tag of their instructions, whatever the fds were", () => {
    const { byFile, reasons } = known();
    expect([...byFile.keys()].sort()).toEqual([...files].sort());
    expect(reasons).toEqual([]);
    for (const file of files.slice(0, 2))
      expect(byFile.get(file)).toMatchObject({ digest: sha256(zeroed), tag: sha256(zeroed).slice(0, 16), type: null });
    const sha1 = createHash("sha1").update(zeroed).digest("hex").slice(0, 16);
    expect(known(false).byFile.get(files[1])?.tag).toBe(sha1);
  });

  it("have references to maps if they are as they were loaded, and otherwise unknown ones", () => {
    const { byFile } = known();
    expect(byFile.get(files[0])?.references).toBeNull();
    expect(byFile.get(files[2])?.references).toEqual([]);
    expect(byFile.get(files[1])?.references?.map(({ slot, offset }) => [slot, offset])).toEqual([
      [0, null],
      [2, 16],
    ]);
  });

  it("says that a folder cannot be read", () => {
    const reasons: string[] = [];
    const source = recordedPrograms(join(folder, "gone"));
    const programs = source(new Kernel(new Btf(switchKernel().bytes())), (reason) => reasons.push(reason));
    expect([...programs]).toEqual([]);
    expect(reasons).toEqual([`${join(folder, "gone")} cannot be read (ENOENT)`]);
  });
});
