import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Elf } from "../../src/bpf/elf/elf.js";
import { disassemble } from "../../src/bpf/insn/disassembly.js";
import { decodeInsns } from "../../src/bpf/insn/insn.js";
import { embeddedObjects, objectFiles } from "../support/real-objects.js";

const EXAMPLES = join(import.meta.dirname, "../../examples");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-disassembly-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the disassembly", () => {
  it.each([
    [
      "the examples",
      () =>
        readdirSync(EXAMPLES)
          .filter((file) => file.endsWith(".o"))
          .map((file) => ({ name: file, bytes: readFileSync(join(EXAMPLES, file)) })),
    ],
    ["xdp-tools and libxdp1", () => objectFiles("xdp-tools", "libxdp1")],
    ["libbpf-tools", () => embeddedObjects("libbpf-tools")],
    ["programs of xdp-tools", () => embeddedObjects("xdp-tools")],
  ])("of %s is llvm-objdump's", (_, objects) => {
    let compared = 0;
    for (const { name, bytes } of objects()) {
      const path = join(folder, "object.o");
      writeFileSync(path, bytes);
      for (const [section, lines] of dumped(path)) {
        const insns = decodeInsns(new Elf(bytes).section(section)!.data, new Elf(bytes).order);
        for (const [slot, text] of lines) {
          expect({ name, section, slot, text: disassemble(insns, slot) }).toEqual({ name, section, slot, text });
          compared += 1;
        }
      }
    }
    expect(compared).toBeGreaterThan(200);
  });
});

/** By section: slot to text, without the names of a jump's target. */
function dumped(path: string): Map<string, Map<number, string>> {
  const sections = new Map<string, Map<number, string>>();
  let lines = new Map<number, string>();
  const text = execFileSync("llvm-objdump-19", ["-d", "--no-show-raw-insn", path], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  for (const line of text.split("\n")) {
    const section = /^Disassembly of section (.+):$/.exec(line);
    if (section !== null) {
      lines = new Map();
      sections.set(section[1]!, lines);
    }
    const insn = /^ +(\d+):\t(.+)$/.exec(line);
    if (insn !== null) lines.set(Number(insn[1]), insn[2]!.replace(/ <[^ <>]*>$/, ""));
  }
  return sections;
}
