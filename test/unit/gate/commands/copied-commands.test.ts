import { describe, expect, it } from "vitest";
import { ATTACH_TYPES } from "../../../../src/bpf/tables/names.gen.js";
import { Attr } from "../../../../src/gate/call/attr.js";
import { COMMANDS, type CopiedName } from "../../../../src/gate/call/command.js";
import { COPIED_COMMANDS } from "../../../../src/gate/commands/copied-commands.js";

function isLong(name: CopiedName, words: Readonly<Record<number, number>>): boolean {
  const { layout, isLong: decide } = COPIED_COMMANDS[name];
  const attr = new Attr(layout.attr.size, layout.attr.size);
  for (const [at, value] of Object.entries(words)) attr.setU32(Number(at), value);
  return decide(attr);
}

describe("the table of copied commands", () => {
  it("has a row for each command with treatment copy, and for no other", () => {
    const copied = COMMANDS.filter(({ treatment }) => treatment === "copy");
    expect(Object.keys(COPIED_COMMANDS)).toEqual(copied.map(({ name }) => name));
  });

  const link = (type: string, at: number, count: number) => ({ 8: ATTACH_TYPES.indexOf(type), [at]: count });
  it.each([
    ["BPF_BTF_LOAD", { 16: 64 * 1024 }, { 16: 64 * 1024 + 1 }],
    ["BPF_LINK_CREATE", link("trace_kprobe_multi", 20, 64), link("trace_kprobe_multi", 20, 65)],
    ["BPF_LINK_CREATE", link("trace_kprobe_session", 20, 64), link("trace_kprobe_session", 20, 65)],
    ["BPF_LINK_CREATE", link("trace_uprobe_multi", 48, 64), link("trace_uprobe_multi", 48, 65)],
    ["BPF_LINK_CREATE", link("trace_fentry", 20, 65), link("trace_uprobe_multi", 48, 65)],
  ] as const)("says from the attr whether %s takes the kernel long", (name, short, long) => {
    expect(isLong(name, short)).toBe(false);
    expect(isLong(name, long)).toBe(true);
  });

  it("says that a test run takes long, since a program may run for any time, and that short commands do not", () => {
    expect(isLong("BPF_PROG_TEST_RUN", {})).toBe(true);
    for (const name of ["BPF_OBJ_PIN", "BPF_PROG_ATTACH", "BPF_PROG_DETACH", "BPF_LINK_UPDATE"] as const)
      expect(isLong(name, {}), name).toBe(false);
  });
});
