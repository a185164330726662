import { afterAll, describe, expect, it } from "vitest";
import { effectsOf } from "../../src/bpf/analysis/effects.js";
import { codeOf } from "../../src/bpf/assembly/assembly.js";
import type { CodeMap } from "../../src/bpf/model/code.js";
import { numbers, seedOf } from "../support/damage.js";
import { closeMaps, firstValueOf, load, run } from "../support/kernel-load.js";
import { RANDOM_MAPS, randomProgram, withoutUnreached } from "../support/random-programs.js";

const seed = seedOf();
const PROGRAMS = Number(process.env.PROGRAMS ?? 2_000);
const XDP_PASS = 2;
const maps = new Map<CodeMap, number>();
afterAll(() => closeMaps(maps));

describe(`XDP programs drawn by chance (seed ${seed})`, () => {
  it("do nothing when the kernel runs them that is not among their effects", (context) => {
    if (process.getuid?.() !== 0) return context.skip("needs root to load BPF");
    if (load(codeOf("r0 = 2; exit", { type: "xdp" }), maps).errno !== 0)
      return context.skip("needs a kernel that lets root load BPF");
    const taken = { all: 0, decides: 0, neutral: 0, writes: 0, leaves: 0, shared: 0 };
    for (let round = 0; round < PROGRAMS; round++) {
      const next = numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0);
      const text = withoutUnreached(randomProgram(next));
      const code = codeOf(text, { type: "xdp", maps: RANDOM_MAPS });
      const packets = [0, 255, 1, 2].map((fill) =>
        Buffer.from(Array.from({ length: 80 }, () => (fill > 1 ? next(256) : fill))),
      );
      const before = Buffer.from(firstValueOf(RANDOM_MAPS.shared!, maps));
      const runs = run(code, maps, packets);
      if (typeof runs === "string") continue;
      const { effects } = effectsOf(code);
      const place = `seed ${seed}, round ${round}:\n${text}`;
      taken.all += 1;
      const wrote = runs.some(({ packet }, index) => !packets[index]!.equals(packet));
      const decided = runs.some(({ returned }) => returned !== XDP_PASS);
      const redirected = runs.some(({ returned }) => returned === 3 || returned === 4);
      const changed = !before.equals(firstValueOf(RANDOM_MAPS.shared!, maps));
      if (wrote) expect(effects.writes_packet, place).toBe(true);
      if (decided) expect(effects.decides, place).toBe(true);
      if (redirected) expect(effects.redirects, place).toBe(true);
      if (changed) expect(effects.writes_shared_map, place).toBe(true);
      if (wrote || decided || changed) expect(effects.read_only, place).toBe(false);
      taken.decides += decided ? 1 : 0;
      taken.writes += wrote ? 1 : 0;
      taken.shared += changed ? 1 : 0;
      taken.neutral += effects.decides ? 0 : 1;
      taken.leaves += effects.writes_packet ? 0 : 1;
    }
    // the test is worth something only while there is plenty of each
    expect(taken.all).toBeGreaterThan(PROGRAMS / 4);
    for (const [what, count] of Object.entries(taken)) expect(count, what).toBeGreaterThan(PROGRAMS / 100);
    if (process.env.PROGRAMS !== undefined) console.log(taken);
  });
});
