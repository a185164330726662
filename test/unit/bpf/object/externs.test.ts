import { describe, expect, it } from "vitest";
import { externsOf } from "../../../../src/bpf/object/externs.js";
import { BpfObject } from "../../../../src/bpf/object.js";
import { example } from "../../../support/examples.js";

describe("the externs of an object", () => {
  it("are in libbpf's order: values of .kconfig, then kernel symbols by name", () => {
    const { elf, btf } = new BpfObject(example("exec-guard"));
    expect(externsOf(elf, btf).map(({ name, kind, weak }) => [name, kind, weak])).toEqual([
      ["CONFIG_HZ", "kconfig", false],
      ["bpf_task_from_pid", "kfunc", false],
      ["bpf_task_release", "kfunc", false],
      ["init_task", "ksym", false],
    ]);
  });

  it("name their declaration, and the type of a typed one", () => {
    const { elf, btf } = new BpfObject(example("exec-guard"));
    const types = externsOf(elf, btf).map(({ btfId, typeId }) => [btf?.kind(btfId), btf?.kind(typeId)]);
    expect(types).toEqual([
      ["var", "int"],
      ["func", "func_proto"],
      ["func", "func_proto"],
      ["var", "void"],
    ]);
  });

  it("are none without BTF", () => {
    const { elf } = new BpfObject(example("exec-guard"));
    expect(externsOf(elf, null)).toEqual([]);
  });
});
