import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Btf } from "../../../../src/bpf/btf/btf.js";
import { programDigests } from "../../../../src/loaded/digests/program-digests.js";
import { KernelSymbols } from "../../../../src/loaded/effects/kernel-symbols.js";
import { kernelMemory, type ReadAt } from "../../../../src/loaded/memory/kernel-memory.js";
import { numbers } from "../../../support/damage.js";
import { KernelCore, typesWith } from "../../../support/kernel-core.js";

const digestOf = (id: number) => hash("sha256", `${id}`, "hex");
const IDS = [1, 63, 64, 65, 700, 4095];
const core = (levels = 2) => new KernelCore(Object.fromEntries(IDS.map((id) => [id, digestOf(id)])), levels);
const asked = (ids: readonly number[]) => ids.map((id) => ({ id, tag: digestOf(id).slice(0, 16) }));

function digestsIn(of: KernelCore, ids: readonly number[] = IDS, types: Btf = typesWith(), kallsyms = of.kallsyms) {
  const memory = kernelMemory(of.readAt)!;
  return programDigests(asked(ids), memory, types, new KernelSymbols(Buffer.from(kallsyms)));
}

describe("programDigests", () => {
  it.each([2, 3])("finds each program in a tree of %i levels", (levels) => {
    const { byId, reason } = digestsIn(core(levels));
    expect([...byId]).toEqual(IDS.map((id) => [id, digestOf(id)]));
    expect(reason).toBeNull();
  });

  it.each([[2], [66], [4094], [4096], [2 ** 31 - 1], [2 ** 32 - 1]])("says that it does not find %i", (id) => {
    const { byId, reason } = digestsIn(core(), [1, id]);
    expect([...byId.keys()]).toEqual([1]);
    expect(reason).toBe(`the kernel's memory does not show the digest of program ${id}`);
  });

  it("takes no digest of another program, or with another tag than the reported one", () => {
    const core = new KernelCore({ 1: digestOf(2), 3: digestOf(3) });
    const found = digestsIn(core, [1, 3]);
    expect([...found.byId]).toEqual([[3, digestOf(3)]]);
    const memory = kernelMemory(core.readAt)!;
    const symbols = new KernelSymbols(Buffer.from(core.kallsyms));
    expect(programDigests([{ id: 2, tag: digestOf(2).slice(0, 16) }], memory, typesWith(), symbols).byId.size).toBe(0);
  });

  it("takes no program whose memory has another id", () => {
    const changed = core().change((memory) => {
      for (let at = 0; at + 4 <= memory.length; at += 4) if (memory.readUInt32LE(at) === 700) memory[at] = 0;
    });
    const { byId, reason } = digestsIn(changed);
    expect(byId.has(700)).toBe(false);
    expect(byId.size).toBe(IDS.length - 1);
    expect(reason).toBe("the kernel's memory does not show the digest of program 700");
  });

  it("counts the programs that it does not find", () => {
    const { reason } = digestsIn(core(), [2, 4, 5, 1]);
    expect(reason).toBe("the kernel's memory does not show the digest of program 2 and 2 others");
  });

  it("comes to an end in memory of any contents", () => {
    const next = numbers(0xc0de);
    for (let round = 0; round < 200; round++) {
      const changed = core().change((memory) => {
        for (let each = 0; each < 40; each++) memory[next(3000)] = next(256);
      });
      for (const [id, digest] of digestsIn(changed).byId) expect(digest.slice(0, 16)).toBe(digestOf(id).slice(0, 16));
    }
  });

  it.each([
    ["of a kernel without digests", typesWith(false), core().kallsyms, "keeps no digests of programs"],
    ["with hidden addresses", typesWith(), "0000000000000000 d prog_idr\n", "sysctl kernel.kptr_restrict"],
    ["without the symbol", typesWith(), "ffffffff81000000 T _text\n", "do not have prog_idr"],
    ["with the symbol elsewhere", typesWith(), "ffff888100000000 d prog_idr\n", "cannot be read at prog_idr"],
  ])("gives the reason %s", (_, types, kallsyms, reason) => {
    const found = digestsIn(core(), IDS, types, kallsyms);
    expect(found.byId.size).toBe(0);
    expect(found.reason).toContain(reason);
  });
});

describe("kernelMemory", () => {
  const changed =
    (change: (file: Buffer) => void): ReadAt =>
    (offset, length) => {
      const all = Buffer.from(core().readAt(0n, 4096)!);
      change(all);
      const at = Number(offset);
      return at + length > all.length ? null : all.subarray(at, at + length);
    };

  it.each([
    ["no ELF file", (file: Buffer) => file.fill(0, 0, 4)],
    ["ELF of 32 bits", (file: Buffer) => file.writeUInt8(1, 4)],
    ["another byte order", (file: Buffer) => file.writeUInt8(2, 5)],
    ["headers beyond the end", (file: Buffer) => file.writeUInt16LE(65_535, 56)],
    ["headers far beyond the end", (file: Buffer) => file.writeBigUInt64LE(2n ** 64n - 1n, 32)],
  ])("does not take %s", (_, change) => {
    expect(kernelMemory(changed(change))).toBeNull();
  });

  it("reads nothing across the end of a part", () => {
    const memory = kernelMemory(core().readAt)!;
    const end = 0xffff_8880_0000_0000n + 65_536n;
    expect(memory.read(end - 8n, 8)?.byteLength).toBe(8);
    expect(memory.read(end - 7n, 8)).toBeNull();
    expect(memory.read(0n, 8)).toBeNull();
  });
});
