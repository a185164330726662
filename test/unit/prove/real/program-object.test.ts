import { describe, expect, it } from "vitest";
import { OBSERVES } from "../../../../src/bpf/evidence/evidence-collector.js";
import { EFFECTS, type ProgramFacts, type ProgramSubject } from "../../../../src/bpf/model/facts.js";
import { roleOf } from "../../../../src/bpf/object/section.js";
import { SECTIONS } from "../../../../src/bpf/tables/sections.gen.js";
import { SUBJECT_DOMAINS } from "../../../../src/prove/facts/subject-domains.js";
import { assembleProgram } from "../../../../src/prove/real/program-object.js";
import type { Condition } from "../../../../src/prove/solver/condition.js";
import { defaultFacts } from "../../../../src/prove/witness/default-facts.js";

const DEFAULTS = { ...defaultFacts(SUBJECT_DOMAINS.program), type: "xdp" } as unknown as ProgramSubject;

/** Stands for one fact that is another than wanted. */
const wrong = (of: string): Condition => ({ atom: { kind: "flag", of }, is: true });

/** Assembles a program that has the wanted facts; the names of those that it does not have. */
function lacks(facts: Partial<ProgramSubject>): readonly string[] {
  const wanted = { ...DEFAULTS, ...facts };
  const made = assembleProgram(wanted, (found) =>
    Object.keys(facts)
      .filter((name) => JSON.stringify(comparable(found, name)) !== JSON.stringify(comparable(wanted, name)))
      .map(wrong),
  );
  return made === null ? ["an object"] : made.unmet.map(({ atom }) => (atom as { of: string }).of);
}

/** Of maps, what a definition says. */
function comparable(program: object, name: string): unknown {
  const value = (program as Readonly<Record<string, unknown>>)[name];
  if (name !== "maps") return value;
  return (value as ProgramFacts["maps"]).map(({ memory: _, memory_per_cpu: __, contents: ___, ...map }) => map);
}

/** The effects of a program that has only this one, or also those that no program lacks that has it. */
function only(...effects: readonly string[]): ProgramFacts["effects"] {
  const changes = effects.some((effect) => !(OBSERVES as ReadonlySet<string>).has(effect));
  const all = EFFECTS.map((effect) => [effect, effects.includes(effect)] as const);
  return { ...Object.fromEntries(all), read_only: !changes } as unknown as ProgramFacts["effects"];
}

describe("an assembled program", () => {
  it.each(SECTIONS.map(([name]) => name))("has the type and attach type of section %s", (section) => {
    const { type, expectedAttachType: expected_attach_type } = roleOf(section);
    expect(lacks({ type, expected_attach_type })).toEqual([]);
  });

  // calls_bpf has all others, and tail_calls also decides where a return value can
  const TYPES: Readonly<Record<string, string>> = {
    ...{ writes_ctx: "sched_cls", writes_packet: "sched_cls", redirects: "cgroup_skb" },
    ...{ overrides_return: "kprobe", tail_calls: "raw_tracepoint" },
  };
  it.each(EFFECTS.filter((effect) => effect !== "calls_bpf"))("has the effect %s and no other", (effect) => {
    expect(lacks({ effects: only(effect), type: TYPES[effect] ?? "tracepoint" })).toEqual([]);
  });

  it("has several effects together", () => {
    const effects = only("reads_kernel_memory", "writes_user_memory", "sends_signal");
    expect(lacks({ effects, type: "kprobe" })).toEqual([]);
    expect(lacks({ effects: only("redirects", "writes_packet", "decides"), type: "sched_cls" })).toEqual([]);
    expect(lacks({ effects: only(...EFFECTS), type: "syscall" })).toEqual([]);
  });

  it("has names, a licence, a target and a number of instructions", () => {
    expect(lacks({ name: "größer", license: "Dual MIT/GPL", gpl_compatible: true, insn_cnt: 4097 })).toEqual([]);
    expect(lacks({ type: "kprobe", attach_to: "vfs_read", license: "Proprietary", insn_cnt: 2 })).toEqual([]);
  });

  it("calls helpers and kfuncs, and refers to maps", () => {
    const helpers = ["bpf_get_current_comm", "bpf_ktime_get_ns", "helper#900"];
    expect(lacks({ helpers, kfuncs: ["bpf_task_release"] })).toEqual([]);
    const sizes = { key_size: 4, value_size: 8, max_entries: 70_000, flags: 1 };
    const map = { name: "stats", type: "hash", ...sizes } as ProgramFacts["maps"][number];
    expect(lacks({ maps: [map, { ...map, name: "events", type: "ringbuf", key_size: 0, value_size: 0 }] })).toEqual([]);
  });

  it("is not made with what no object has", { tags: ["deep"] }, () => {
    expect(lacks({ name: "a\0b" })).toEqual(["an object"]);
    expect(lacks({ helpers: ["no_such_helper"] })).toEqual(["an object"]);
    expect(lacks({ license: "x".repeat(63) })).toEqual(["license"]);
    expect(lacks({ insn_cnt: 0 })).toEqual(["insn_cnt"]);
  });
});
