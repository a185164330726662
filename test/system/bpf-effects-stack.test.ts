import { setTimeout } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { effectsOf } from "../../src/bpf/analysis/effects.js";
import { codeOf } from "../../src/bpf/assembly/assembly.js";
import type { CodeMap } from "../../src/bpf/model/code.js";
import { CAP_PERFMON, CAP_SYS_ADMIN, withoutCapabilities } from "../support/capabilities.js";
import { numbers, seedOf } from "../support/damage.js";
import { closeMaps, load } from "../support/kernel-load.js";
import { STACK_MAPS, stackProgram } from "../support/stack-programs.js";
import { amount } from "./nightly.js";

const seed = seedOf();
const PROGRAMS = Number(process.env.PROGRAMS ?? amount(300, 6_000));
/** Milliseconds between two programs: at most about a hundred loads a second. */
const PAUSE = 10;
/** What the verifier says of bytes of the stack that nothing wrote (check_stack_range_initialized and others). */
const UNWRITTEN = /^invalid (indirect )?(read|access)( from| to)? stack/;
const maps = new Map<CodeMap, number>();
afterAll(() => closeMaps(maps));

/**
 * The verifier without CAP_PERFMON (and every verifier before Linux 6.3) rejects programs that read stack bytes which
 * nothing wrote. Conditions of these programs are independent, so that the verifier follows every path that the
 * analysis assumes: both have to agree on each program, except on those that spill (stack-programs.ts).
 */
describe(`XDP programs drawn by chance (seed ${seed})`, () => {
  it("read stack that nothing wrote exactly if the verifier without CAP_PERFMON says so", async (context) => {
    if (process.getuid?.() !== 0) return context.skip("needs root to load BPF");
    if (load(codeOf("r0 = 2; exit", { type: "xdp" }), maps).errno !== 0)
      return context.skip("needs a kernel that lets root load BPF");
    const counts = { accepted: 0, rejected: 0, spilled: 0 };
    const others = new Map<string, number>();
    for (let round = 0; round < PROGRAMS; round++) {
      const spills = round % 3 === 0;
      const text = stackProgram(numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0), 1 + (round % 4), spills);
      const code = codeOf(text, { type: "xdp", maps: STACK_MAPS });
      const { errno, why } = withoutCapabilities([CAP_PERFMON, CAP_SYS_ADMIN], () => load(code, maps));
      if (errno !== 0 && !UNWRITTEN.test(why)) {
        others.set(why, (others.get(why) ?? 0) + 1);
        continue;
      }
      counts[errno === 0 ? "accepted" : "rejected"] += 1;
      const { effects, evidence } = effectsOf(code);
      const because = evidence.find(({ effect }) => effect === "reads_kernel_memory")?.because;
      const place = `seed ${seed}, round ${round}: ${why || because}\n${text}`;
      if (errno !== 0 || !spills) expect(effects.reads_kernel_memory, place).toBe(errno !== 0);
      else if (effects.reads_kernel_memory) counts.spilled += 1;
      await setTimeout(PAUSE);
    }
    expect(others, "other reasons to reject").toEqual(new Map());
    // The test is worth something only while there is plenty of both.
    expect(counts.accepted, "accepted").toBeGreaterThan(PROGRAMS / 10);
    expect(counts.rejected, "rejected").toBeGreaterThan(PROGRAMS / 10);
    if (process.env.PROGRAMS !== undefined) console.log(counts);
  });
});
