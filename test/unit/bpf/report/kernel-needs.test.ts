import { describe, expect, it } from "vitest";
import { BpfObject } from "../../../../src/bpf/object.js";
import { missingFrom } from "../../../../src/bpf/report/kernel-needs.js";
import { sectionData } from "../../../support/elf-patch.js";
import { example } from "../../../support/examples.js";

const object = (name: string) => new BpfObject(example(name));
const missing = (kernel: string, name: string, program = 0) => {
  const wanting = object(name);
  return missingFrom(object(kernel).btf!, wanting.program(wanting.functions[program]!)).map(
    ({ kind, name: what }) => `${kind} ${what}`,
  );
};

describe("what a program wants of a kernel", () => {
  it("is not missing where the kernel's BTF has it", () => {
    expect(missing("calm-tcp", "calm-tcp")).toEqual([]);
    expect(missing("calm-tcp", "drop-telnet")).toEqual([]);
  });

  it("may be the member of a structure that a program is attached to, and types", () => {
    expect(missing("drop-telnet", "calm-tcp")).toEqual(["target tcp_congestion_ops.ssthresh", "type struct tcp_sock"]);
  });

  it("may be what a tracing program is attached to, by the kernel's name for it", () => {
    expect(missing("switch-watch", "switch-watch")).toEqual(["target sched_switch"]);
  });

  it("may be kfuncs", () => {
    expect(missing("drop-telnet", "exec-guard")).toEqual([
      "target bprm_check_security",
      "kfunc bpf_task_from_pid",
      "kfunc bpf_task_release",
    ]);
    expect(missing("exec-guard", "exec-guard")).toEqual(["target bprm_check_security"]);
  });

  it("may be a type that a kernel only declares", () => {
    expect(missing("exec-guard", "switch-watch")).toContain("type struct task_struct");
  });

  it("may be a field of a type that is there", () => {
    const wanting = object("switch-watch");
    const renamed = example("switch-watch");
    sectionData(renamed, ".BTF").write("best", sectionData(renamed, ".BTF").indexOf("prio\0"), "latin1");
    const needs = missingFrom(new BpfObject(renamed).btf!, wanting.program(wanting.functions[0]!));
    expect(needs).toContainEqual({ kind: "field", name: "struct task_struct.prio" });
    expect(needs).not.toContainEqual(expect.objectContaining({ name: "struct task_struct.pid" }));
  });
});
