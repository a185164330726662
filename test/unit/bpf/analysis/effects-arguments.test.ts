/**
 * Every helper and every kfunc that writes or reads memory it is given, with memory of each kind that is not the
 * program's own. The families are those of the tables; the programs are not ones that a kernel would load.
 */
import { describe, expect, it } from "vitest";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import { codeOf, mapOf } from "../../../../src/bpf/assembly/assembly.js";
import { EFFECTS, type EffectName } from "../../../../src/bpf/model/facts.js";
import { HELPER_ROWS, type HelperRow } from "../../../../src/bpf/tables/helpers.js";
import { KFUNC_ROWS, KFUNCS } from "../../../../src/bpf/tables/kfuncs.js";
import { KERNEL_FACTS } from "../../../support/kernel-facts.js";

const maps = {
  own: mapOf("own", { value_size: 64 }),
  pinned: mapOf("pinned", { own: false, value_size: 64 }),
  storage: mapOf("storage", { type: "task_storage", value_size: 64 }),
};
const helpers = HELPER_ROWS.filter((row): row is HelperRow => row !== undefined);

/** How r6 comes to point to memory of a kind, and the effects of a write and of a read there. */
const MEMORY: Readonly<Record<string, { setup: string; written: EffectName; read: EffectName | null }>> = {
  "a shared map's value": { setup: "r6 = value pinned + 0", written: "writes_shared_map", read: null },
  "the packet": { setup: "r6 = *(u32 *)(r1 + 76)", written: "writes_packet", read: null },
  "a process's page": {
    setup: "r1 = map storage; r2 = 0; r3 = 0; r4 = 0; call bpf_task_storage_get; r6 = *(u64 *)(r0 + 0)",
    written: "writes_user_memory",
    read: "reads_user_memory",
  },
};

/**
 * The effects of a call with r6 as one argument (the first is 0), its own maps where it takes one, and 0 for the rest.
 */
function effectsOfCall(setup: string, call: string, args: string, index: number, type = "sched_cls"): EffectName[] {
  const others = [...args].map((letter, at) =>
    at === index
      ? `r${at + 1} = r6`
      : letter === "m"
        ? `r${at + 1} = map own`
        : letter === "f"
          ? `r${at + 1} = func back`
          : `r${at + 1} = 0`,
  );
  const text = `${setup}; ${others.join("; ")}; call ${call}; r0 = 0; exit; fn back: r0 = 0; exit`;
  const { effects } = effectsOf(codeOf(text, { type, maps }));
  return EFFECTS.filter((effect) => effects[effect]);
}

const indexes = (args: string, letters: string) =>
  [...args].map((_, index) => index).filter((index) => letters.includes(args[index]!));

describe.each(Object.entries(MEMORY))("given %s", (_, { setup, written, read }) => {
  it("every helper that writes memory has the effect", () => {
    const missing = helpers.flatMap(({ name, args }) =>
      indexes(args, "w")
        .filter((index) => !effectsOfCall(setup, `bpf_${name}`, args, index).includes(written))
        .map((index) => `${name} ${index}`),
    );
    expect(missing).toEqual([]);
  });

  it("every kfunc that writes memory, or a struct that may be memory, has the effect", { tags: ["deep"] }, () => {
    const missing = KFUNCS.flatMap(({ name, args }) =>
      indexes(args, "wsO")
        .filter((index) => !effectsOfCall(setup, `kfunc ${name}`, args, index).includes(written))
        .map((index) => `${name} ${index}`),
    );
    expect(missing).toEqual([]);
  });

  it("no helper or kfunc that only reads memory writes it; reading a process's is an effect", () => {
    const wrong = [
      ...helpers.map(({ name, args, effects }) => ({ call: `bpf_${name}`, args, own: effects, which: "r" })),
      ...KFUNCS.map(({ name, args, effects }) => ({ call: `kfunc ${name}`, args, own: effects, which: "ro" })),
    ].flatMap(({ call, args, own, which }) =>
      indexes(args, which)
        .filter((index) => {
          const found = effectsOfCall(setup, call, args, index);
          const writes = found.includes(written) && !own.includes(written) && !own.includes("calls_bpf");
          // bpf_dynptr_write's own effect is on what the dynptr stands for
          return (writes && !args.includes("z") && !args.includes("d")) || (read !== null && !found.includes(read));
        })
        .map((index) => `${call} ${index}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("a dynptr", () => {
  const given = "r6 = r2";

  it("that an extension program is given stands for its caller's map and packet to whatever writes through it", () => {
    const writing = [
      ...helpers.map(({ name, args }) => ({ call: `bpf_${name}`, args, at: indexes(args, "z") })),
      ...KFUNCS.map(({ name, args, reads }) => {
        return { call: `kfunc ${name}`, args, at: indexes(args, "d").filter((index) => !reads.includes(index)) };
      }),
    ].filter(({ at }) => at.length > 0);
    expect(writing.length).toBeGreaterThan(15);
    for (const { call, args, at } of writing)
      for (const index of at)
        expect(effectsOfCall(given, call, args, index, "ext"), `${call} ${index}`).toEqual(
          expect.arrayContaining(["writes_shared_map", "writes_packet"]),
        );
  });

  it("stays that when it is cloned", () => {
    const text = `r6 = r2; r1 = r6; r2 = r10; r2 += -16; call kfunc bpf_dynptr_clone; *(u64 *)(r10 - 24) = 0;
      r1 = r10; r1 += -16; r2 = 0; r3 = r10; r3 += -24; r4 = 8; r5 = 0; call bpf_dynptr_write; r0 = 0; exit`;
    expect(effectsOf(codeOf(text, { type: "ext" })).effects.writes_shared_map).toBe(true);
  });

  it.each(["bpf_dynptr_data", "kfunc bpf_dynptr_slice_rdwr"])("gives such memory to write by %s", (call) => {
    const text = `r1 = r2; r2 = 0; r3 = 0; r4 = 8; call ${call}; if r0 == 0 goto out; *(u8 *)(r0 + 0) = 1; out: r0 = 0; exit`;
    expect(effectsOf(codeOf(text, { type: "ext" })).effects.writes_shared_map).toBe(true);
  });

  it("of the packet is written by every kfunc that writes through one, in a program of packets", () => {
    const make = "r2 = 0; r3 = r10; r3 += -16; call kfunc bpf_dynptr_from_skb; r6 = r10; r6 += -16";
    for (const { name, args, reads } of KFUNCS)
      for (const index of indexes(args, "d").filter((each) => !reads.includes(each)))
        expect(effectsOfCall(make, `kfunc ${name}`, args, index), `${name} ${index}`).toContain("writes_packet");
  });
});

describe("a kfunc without a row", () => {
  it("makes every effect true: all that kernels have beside those of the table", () => {
    const unknown = Object.keys(KERNEL_FACTS.kfuncs).filter((name) => !KFUNC_ROWS.has(name));
    expect(unknown.length).toBeGreaterThan(50);
    for (const name of unknown)
      expect(effectsOfCall("r6 = 0", `kfunc ${name}`, "-----", 0), name).toEqual([...EFFECTS]);
  });
});
