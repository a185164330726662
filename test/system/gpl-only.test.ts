import { closeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { GPL_ONLY } from "../../src/bpf/tables/gpl-only.js";
import { HELPERS, PROGRAM_TYPES } from "../../src/bpf/tables/names.gen.js";
import { bpf } from "../../src/sys/bpf.js";
import { addressOf, keepAlive } from "../../src/sys/libc.js";

const PROG_LOAD = 5;
const LICENSE = Buffer.from("Proprietary\0");
const log = Buffer.alloc(1 << 16);

/** What the verifier says of a program that calls one helper under a licence that is not GPL-compatible. */
function verifierOn(helper: number, type: number): string {
  const insns = Buffer.from("8500000000000000b7000000000000009500000000000000", "hex");
  insns.writeInt32LE(helper, 4);
  const attr = Buffer.alloc(168);
  attr.writeUInt32LE(type, 0);
  attr.writeUInt32LE(insns.length / 8, 4);
  attr.writeBigUInt64LE(BigInt(addressOf(insns)), 8);
  attr.writeBigUInt64LE(BigInt(addressOf(LICENSE)), 16);
  attr.writeUInt32LE(1, 24);
  attr.writeUInt32LE(log.length, 28);
  attr.writeBigUInt64LE(BigInt(addressOf(log)), 32);
  log.fill(0);
  const fd = bpf(PROG_LOAD, keepAlive(attr, insns));
  if (fd >= 0) closeSync(fd);
  return log.toString("latin1", 0, log.indexOf(0));
}

describe("the helpers that need a GPL-compatible licence", () => {
  it("are those that the running kernel restricts", (context) => {
    if (process.getuid?.() !== 0) return context.skip("needs root to load BPF");
    // r0 = 0; exit with an unknown helper: a verifier that is reached says so
    if (!verifierOn(100_000, PROGRAM_TYPES.indexOf("xdp")).includes("100000"))
      return context.skip("needs a kernel that lets root load BPF");
    const restricted = new Set<string>();
    const free = new Set<string>();
    for (const type of PROGRAM_TYPES.keys())
      for (const [id, name] of HELPERS.entries()) {
        if (id === 0) continue;
        const said = verifierOn(id, type);
        if (said.includes("GPL-restricted")) restricted.add(name);
        // the licence is looked at before the arguments, so whoever gets as far as those is free
        else if (/R[1-5] type=|R[1-5] !read_ok|at least one reference|R0 /.test(said)) free.add(name);
      }
    expect([...restricted].filter((name) => !GPL_ONLY.has(name))).toEqual([]);
    // a helper that one type of program may call freely may be restricted for another
    expect([...free].filter((name) => GPL_ONLY.has(name) && !restricted.has(name))).toEqual([]);
    expect(restricted.size).toBeGreaterThan(20);
  });
});
