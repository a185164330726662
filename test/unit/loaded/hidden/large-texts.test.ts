import { describe, expect, it } from "vitest";
import { linesEndingWith } from "../../../../src/loaded/hidden/ending-lines.js";
import { moduleSights } from "../../../../src/loaded/hidden/module-sights.js";
import { programSymbols } from "../../../../src/loaded/hidden/program-symbols.js";
import type { Reads } from "../../../../src/loaded/reads/reads.js";

const TAG = "0123456789abcdef";
const KALLSYMS = Buffer.from(
  [
    "ffffffff81000000 T _text",
    "ffffffff81000010 t not_at_the_end [ext4] x",
    "ffffffffc0000000 t ext4_one\t[ext4]",
    "ffffffffc0000010 t ext4_two\t[ext4]",
    "ffffffffc0001000 t glued[veth]",
    "ffffffffc0002000 t tun_one [tun]",
    `ffffffffc0003000 t bpf_prog_${TAG}_pass\t[bpf]`,
    `ffffffffc0004000 t bpf_prog_${TAG}\t[bpf]`,
    "ffffffffc0005000 t bpf_trampoline_1\t[bpf]",
    "ffffffffc0002010 t ext4_three\t[ext4]\n",
  ].join("\n"),
);
/** Everything else cannot be read. */
const READS: Reads = {
  isLive: true,
  missing: [],
  bytes: (name, read) => (/kallsyms|program-symbols/.test(name) ? read() : -2),
  live: () => {},
  stored: () => Promise.resolve(),
};

describe("large texts", () => {
  it("have lines with an ending", () => {
    expect(linesEndingWith(Buffer.from("a\tx\nb x\n\tx\nc\tx"), "\tx")).toEqual(["a\tx", "\tx"]);
    expect(linesEndingWith(Buffer.alloc(0), "\tx")).toEqual([]);
  });

  it("have the functions of programs", () => {
    expect(programSymbols(READS, () => KALLSYMS)).toEqual([
      { address: "ffffffffc0003000", tag: TAG, name: "pass" },
      { address: "ffffffffc0004000", tag: TAG, name: "" },
    ]);
    expect(programSymbols(READS, () => -1)).toBeNull();
  });

  it("have the names of modules", () => {
    expect(moduleSights(READS, () => KALLSYMS).symbols).toEqual(["ext4", "tun"]);
    expect(moduleSights(READS, () => -1).symbols).toBeNull();
  });
});
