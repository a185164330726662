import { describe, expect, it } from "vitest";
import type { Analyse } from "../../../../src/gate/threads/errand.js";
import { pack } from "../../../../src/gate/threads/errand.js";
import { Porters } from "../../../../src/gate/threads/porters.js";
import { newVisit, type Visit } from "../../../../src/gate/threads/visit.js";
import { GROWING_PROGRAMS, loadOf } from "../../../support/growing-programs.js";

function errandOf(insns: number, index: number): Analyse {
  const { fds: _, kernel: __, ...load } = loadOf(GROWING_PROGRAMS["straight code"]!(insns).bytes());
  return { do: "analyse", index, analysis: { ...load, kernel: null, maps: new Map() } };
}

describe("porters", () => {
  it("analyse long programs, and leave what they found in the visit, apart from what errands brought", async () => {
    const heard: [string, Visit][] = [];
    let wake = () => {};
    const come = async (count: number) => {
      while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve));
    };
    const hear = (what: string) => (visit: Visit) => {
      heard.push([what, visit]);
      wake();
    };
    const porters = new Porters(
      { brought: hear("brought"), failed: hear("failed"), overdue: hear("overdue") },
      () => 250,
      null,
    );
    try {
      const first = errandOf(20_000, 0);
      porters.send(newVisit(7, new Uint8Array(80)), pack(first), "a");
      await come(1);
      const [what, visit] = heard[0]!;
      expect(what).toBe("brought");
      expect(visit.brought).toEqual([]);
      expect(visit.analyses.get(0)).toMatchObject({ facts: { insn_cnt: first.analysis.insns.length / 8 } });

      porters.send(visit, pack(errandOf(9000, 1)), "a");
      await come(2);
      expect([...heard[1]![1].analyses.keys()]).toEqual([0, 1]);
    } finally {
      await porters.stop();
    }
  });
});
