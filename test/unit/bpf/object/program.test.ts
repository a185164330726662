import { describe, expect, it } from "vitest";
import { BpfObject, factsOfObject } from "../../../../src/bpf/object.js";
import { example } from "../../../support/examples.js";

const linked = (object: string, name: string) => {
  const read = new BpfObject(example(object));
  return read.program(read.functions.find((each) => each.name === name)!);
};

describe("a linked program", () => {
  it("has its subprograms behind it in the order in which they are first reached", () => {
    expect(linked("rate-limit", "limit").functions.map(({ name, start, global }) => [name, start, global])).toEqual([
      ["limit", 0, true],
      ["weigh", 31, false],
      ["take", 42, true],
      ["earned", 68, false],
    ]);
  });

  it("has its exception callback behind them, which a tag in BTF alone names", () => {
    const program = linked("last-word", "classify");
    expect(program.functions.map(({ name }) => name)).toEqual(["classify", "length_class", "last_word"]);
    expect(factsOfObject(example("last-word")).programs[0]!.helpers).toEqual(["bpf_get_prandom_u32"]);
  });

  it("has functions that meet without a gap", () => {
    const { functions, insns } = linked("rate-limit", "limit");
    for (const [index, { end }] of functions.entries()) expect(end).toBe(functions[index + 1]?.start ?? insns.count);
  });

  it("knows each function's type by BTF", () => {
    const { functions, btf } = linked("rate-limit", "limit");
    for (const { name, btfId } of functions) expect(btf!.name(btfId!)).toBe(name);
  });

  it("points calls and callbacks at the functions that were meant", () => {
    const { insns, functions } = linked("rate-limit", "limit");
    const reached = new Set<number>();
    for (let slot = 0; slot < insns.count; slot++) {
      const callback = insns.opcode[slot] === 0x18 && insns.src[slot] === 4;
      const call = insns.opcode[slot] === 0x85 && insns.src[slot] === 1;
      if (call || callback) reached.add(slot + 1 + insns.imm[slot]!);
    }
    expect([...reached].sort((a, b) => a - b)).toEqual(functions.slice(1).map(({ start }) => start));
  });

  it("says which map an instruction refers to, and where in it", () => {
    const program = linked("rate-limit", "limit");
    const references = Array.from({ length: program.insns.count }, (_, slot) => program.mapAt(slot)).filter(Boolean);
    expect(references.map((reference) => [reference!.map.name, reference!.offset])).toContainEqual([".rodata", 8]);
    expect(references.map((reference) => [reference!.map.name, reference!.offset])).toContainEqual(["buckets", null]);
    // a pinned map may hold what others put there
    expect(references.find((reference) => reference!.map.name === "buckets")!.map.own).toBe(false);
  });

  it("says what CO-RE changes when it is loaded, by field and type", () => {
    const program = linked("switch-watch", "watch_switch");
    expect(program.rewrittenSlots().map((slot) => program.rewrittenAt(slot)!.what)).toEqual(
      expect.arrayContaining(["struct task_struct.real_parent", "struct task_struct.pid", "struct task_struct.prio"]),
    );
    expect(program.rewrittenAt(program.insns.count - 1)).toBeNull();
  });

  it("names kfuncs and kernel symbols, typed and not", () => {
    const guard = linked("exec-guard", "guard");
    expect(guard.kfuncAt(1)).toMatchObject({ name: "bpf_task_from_pid", module: null, typed: true });
    expect(guard.insns.src[1]).toBe(2);
    expect(linked("exec-guard", "watch").ksymAt(2)).toMatchObject({ name: "init_task", typed: false });
  });

  it("knows the source line of an instruction", () => {
    expect(linked("rate-limit", "limit").sourceAt(0)).toMatch(/^rate-limit\.bpf\.c:\d+$/);
    // of a subprogram too
    const program = linked("rate-limit", "limit");
    const [, , , earned] = program.functions;
    expect(program.sourceAt(earned!.start)).toMatch(/^rate-limit\.bpf\.c:2[789]$/);
  });
});
