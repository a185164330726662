import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Analyse } from "../../../../src/gate/threads/errand.js";
import { pack } from "../../../../src/gate/threads/errand.js";
import { Porters } from "../../../../src/gate/threads/porters.js";
import { newVisit, type Visit, visitName } from "../../../../src/gate/threads/visit.js";
import { GROWING_PROGRAMS, loadOf } from "../../../support/growing-programs.js";

function errandOf(insns: number, index: number): Analyse {
  const { fds: _, kernel: __, ...load } = loadOf(GROWING_PROGRAMS["straight code"]!(insns).bytes());
  return { do: "analyse", index, analysis: { ...load, kernel: null, maps: new Map() } };
}

function visitOf(id: number, admitted = false): Visit {
  const notification = new Uint8Array(80);
  notification[0] = id;
  return { ...newVisit(7, notification), admitted };
}

const idOf = ({ notification }: Visit) => notification[0];

describe("porters", () => {
  let heard: [string, Visit][];
  let wake: () => void;
  let porters: Porters;
  const come = async (count: number) => {
    while (heard.length < count)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  };

  beforeEach(() => {
    heard = [];
    wake = () => {};
    const hear = (what: string) => (visit: Visit) => {
      heard.push([what, visit]);
      wake();
    };
    const errands = { brought: hear("brought"), failed: hear("failed"), overdue: hear("overdue") };
    porters = new Porters(errands, () => 250, null);
  });
  afterEach(() => porters.stop());

  it("analyse long programs, and leave what they found in the visit, apart from what errands brought", async () => {
    const first = errandOf(20_000, 0);
    porters.send(visitOf(1), pack(first), "a");
    await come(1);
    const [what, visit] = heard[0]!;
    expect(what).toBe("brought");
    expect(visit.brought).toEqual([]);
    expect(visit.analyses.get(0)).toMatchObject({ facts: { insn_cnt: first.analysis.insns.length / 8 } });

    porters.send(visit, pack(errandOf(9000, 1)), "a");
    await come(2);
    expect([...heard[1]![1].analyses.keys()]).toEqual([0, 1]);
  });

  it("keep no other call of a suspect waiting for its admitted call", async () => {
    porters.send(visitOf(1, true), pack(errandOf(200_000, 0)), "a");
    porters.send(visitOf(2, true), pack(errandOf(10, 0)), "a");
    porters.send(visitOf(3), pack(errandOf(10, 0)), "a");
    await come(3);
    expect(heard.map(([, visit]) => idOf(visit))).toEqual([3, 1, 2]);
  });

  it("run the errand of a suspect for which a decision thread was taken off, and hear from both", async () => {
    porters.send(visitOf(1, true), pack(errandOf(20_000, 0)), "a");
    porters.adopt(visitOf(2), "a", { first: Date.now(), since: Date.now(), count: 1, wait: "kernel" }, false);
    await come(1);
    porters.back(visitOf(2));
    expect(heard.map(([what, visit]) => [what, idOf(visit)])).toEqual([
      ["brought", 1],
      ["brought", 2],
    ]);
  });

  it("end a task that makes them wait, but not because the machine stood still", () => {
    const STALL = 250;
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: 1_000_000 });
    try {
      const adopt = (id: number) =>
        porters.adopt(visitOf(id), "a", { first: Date.now(), since: Date.now(), count: id, wait: "memory" }, false);
      adopt(1);
      vi.advanceTimersByTime(STALL - 1);
      expect(heard).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(heard.map(([what, visit]) => [what, idOf(visit)])).toEqual([["overdue", 1]]);
      porters.back(visitOf(1));

      heard = [];
      adopt(2);
      vi.setSystemTime(Date.now() + 10 * STALL);
      vi.advanceTimersToNextTimer();
      expect(heard).toEqual([]);
      porters.back(visitOf(2));
      expect(heard.map(([what, visit]) => [what, idOf(visit)])).toEqual([["brought", 2]]);

      heard = [];
      adopt(3);
      vi.setSystemTime(Date.now() + 10 * STALL);
      vi.advanceTimersToNextTimer();
      vi.advanceTimersToNextTimer();
      expect(heard.map(([what, visit]) => [what, idOf(visit)])).toEqual([["overdue", 3]]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("have no deadline for a call that the kernel takes long for", () => {
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: 1_000_000 });
    try {
      porters.adopt(visitOf(1), "a", { first: Date.now(), since: Date.now(), count: 1, wait: "kernel" }, false);
      vi.advanceTimersByTime(600_000);
      expect(heard).toEqual([]);
      porters.back(visitOf(1));
      expect(heard.map(([what]) => what)).toEqual(["brought"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("admit a call that has no errand yet, and the next one of its suspect when that is over", () => {
    porters.send(visitOf(1), null, "a");
    porters.send(visitOf(2), null, "a");
    expect(heard.map(([, visit]) => [idOf(visit), visit.admitted])).toEqual([[1, true]]);
    porters.leave(visitName(visitOf(1)));
    expect(heard.map(([, visit]) => idOf(visit))).toEqual([1, 2]);
  });
});
