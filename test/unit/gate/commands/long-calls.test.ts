import { describe, expect, it } from "vitest";
import { ATTACH_TYPES } from "../../../../src/bpf/tables/names.gen.js";
import { Attr, CREATE, LOAD } from "../../../../src/gate/call/attr.js";
import { COMMANDS } from "../../../../src/gate/call/command.js";
import { isLongCommand, LARGE, MADE_BY_THE_GATE } from "../../../../src/gate/commands/long-calls.js";

function attrOf(words: Readonly<Record<number, number>>): Attr {
  const attr = new Attr(LOAD.size, LOAD.size);
  for (const [at, value] of Object.entries(words)) attr.setU32(Number(at), value);
  return attr;
}

describe("which calls take the kernel long", () => {
  it("is decided for each command that the gate makes itself, and for no other", () => {
    const made = COMMANDS.filter(({ treatment }) => ["load", "create", "copy", "fetch"].includes(treatment));
    expect([...MADE_BY_THE_GATE].sort()).toEqual(made.map(({ name }) => name).sort());
  });

  const hash = (entries: number) => ({
    [CREATE.mapType]: 1,
    [CREATE.keySize]: 4,
    [CREATE.valueSize]: 8,
    [CREATE.maxEntries]: entries,
  });
  const link = (type: string, at: number, count: number) => ({ 8: ATTACH_TYPES.indexOf(type), [at]: count });
  it.each([
    ["BPF_PROG_LOAD", { [LOAD.insnCount]: LARGE }, { [LOAD.insnCount]: LARGE + 1 }],
    ["BPF_MAP_CREATE", hash(100_000), hash(1_000_000)],
    ["BPF_BTF_LOAD", { 16: 64 * 1024 }, { 16: 64 * 1024 + 1 }],
    ["BPF_LINK_CREATE", link("trace_kprobe_multi", 20, 64), link("trace_kprobe_multi", 20, 65)],
    ["BPF_LINK_CREATE", link("trace_kprobe_session", 20, 64), link("trace_kprobe_session", 20, 65)],
    ["BPF_LINK_CREATE", link("trace_uprobe_multi", 48, 64), link("trace_uprobe_multi", 48, 65)],
    ["BPF_LINK_CREATE", link("trace_fentry", 20, 65), link("trace_uprobe_multi", 48, 65)],
  ])("%s: by what it is asked for with", (name, short, long) => {
    expect(isLongCommand(name, attrOf(short))).toBe(false);
    expect(isLongCommand(name, attrOf(long))).toBe(true);
  });

  it("takes a test run for long, since a program runs for as long as it likes", () => {
    expect(isLongCommand("BPF_PROG_TEST_RUN", attrOf({}))).toBe(true);
  });
});
