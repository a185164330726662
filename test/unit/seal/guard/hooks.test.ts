import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BpfObject } from "../../../../src/bpf/object.js";
import { CGROUP_LSM_SLOTS, GUARD_HOOKS, type GuardHook, ROOT_LSM_HOOKS } from "../../../../src/seal/guard/hooks.js";
import { own } from "../../../support/workplace.js";

/** The sections of the guard's object file whose programs are attached to something. */
function attachedSections(): readonly string[] {
  const object = new BpfObject(readFileSync(own("src/seal/guard/guard.bpf.o")));
  return object.elf.sections.map(({ name }) => name).filter((name) => /^(lsm|cgroup)/.test(name));
}

function sectionOf({ hook, attach, sleepable }: GuardHook): string {
  if (hook === "sysctl") return "cgroup/sysctl";
  return attach === "root cgroup" ? `lsm_cgroup/${hook}` : `${sleepable === true ? "lsm.s" : "lsm"}/${hook}`;
}

describe("the hook budget", () => {
  it("has a row for each program of the guard, and a program for each row", () => {
    expect(attachedSections().toSorted()).toEqual(GUARD_HOOKS.map(sectionOf).toSorted());
  });

  it("is that of the hooks on which the guard denies programs of others", () => {
    const source = readFileSync(own("src/seal/guard/hooks.bpf.h"), "utf8");
    const hooks = Array.from(source.matchAll(/HOOK\((\w+)\)/g), ([, hook]) => hook);
    const lsm = GUARD_HOOKS.map(({ hook }) => hook).filter((hook) => hook !== "sysctl");
    expect(hooks.filter((hook) => hook !== "HOOK").toSorted()).toEqual([...new Set(lsm)].toSorted());
  });

  it("fits into the kernel's slots for hooks with lsm_cgroup programs", () => {
    expect(ROOT_LSM_HOOKS.length).toBeLessThanOrEqual(CGROUP_LSM_SLOTS);
  });

  it("needs a slot for each lsm_cgroup program that there is, which `seal doctor` looks for", () => {
    const programs = attachedSections().filter((section) => section.startsWith("lsm_cgroup/"));
    expect(ROOT_LSM_HOOKS.map((hook) => `lsm_cgroup/${hook}`).toSorted()).toEqual(programs.toSorted());
  });

  it("has each hook once on the root cgroup, and once as a link", () => {
    const hooks = GUARD_HOOKS.map(({ hook, attach }) => `${attach} ${hook}`);
    expect(new Set(hooks).size).toBe(hooks.length);
  });

  it.each(["bpf", "bpf_prog_load", "bpf_prog", "bpf_map", "locked_down", "sysctl"])(
    "has no link for %s, without which an unlisted program could be loaded",
    (hook) => {
      expect(GUARD_HOOKS.find((row) => row.hook === hook)).toMatchObject({ attach: "root cgroup" });
    },
  );
});
