import { describe, expect, it } from "vitest";
import { Wardrobe } from "../../../../src/gate/sys/credentials.js";
import type { Analyse } from "../../../../src/gate/threads/errand.js";
import { Awaited, OwnHands, PortersHands } from "../../../../src/gate/threads/hands.js";
import { newVisit } from "../../../../src/gate/threads/visit.js";
import { Watch } from "../../../../src/gate/threads/watch.js";
import { GROWING_PROGRAMS, loadOf } from "../../../support/growing-programs.js";

function errandOf(insns: number, index = 0): Analyse {
  const { fds: _, kernel: __, ...load } = loadOf(GROWING_PROGRAMS["straight code"]!(insns).bytes());
  return { do: "analyse", index, analysis: { ...load, kernel: null, maps: new Map() } };
}

describe.skipIf(process.getuid?.() !== 0)("the hands of a decision thread", () => {
  it("analyse a program under the eyes of the watcher, and leave what takes long to another thread", () => {
    const watch = new Watch();
    watch.enter(7, []);
    const hands = new OwnHands(watch, new Wardrobe());
    expect(hands.analyse(errandOf(100))).toMatchObject({ facts: { insn_cnt: expect.any(Number) } });
    expect(hands.brought).toEqual([]); // a turn that finds the load known does not ask for it
    expect(watch.look()).toBeNull();
    expect(() => hands.admit()).toThrow(Awaited);
    expect(watch.left()).toMatchObject({ listener: 7 });
  });

  it("take what another thread found, by its place in the call", () => {
    const analysed = { failure: { code: "INSN_MALFORMED", message: "", place: undefined, remedy: undefined } };
    const visit = { ...newVisit(7, new Uint8Array(80)), analyses: new Map([[1, analysed]]) };
    const hands = new PortersHands(visit);
    expect([0, 1].map((index) => hands.hasAnalysed(index))).toEqual([false, true]);
    expect(hands.analyse(errandOf(20_000, 1))).toBe(analysed);
    expect(() => hands.analyse(errandOf(100, 0))).toThrow(Awaited);
  });

  it("go on with a call once it is admitted", () => {
    const visit = newVisit(7, new Uint8Array(80));
    expect(() => new PortersHands(visit).admit()).toThrow(Awaited);
    expect(() => new PortersHands({ ...visit, admitted: true }).admit()).not.toThrow();
  });

  it("are seen to analyse by the watcher", () => {
    const watch = new Watch();
    watch.enter(7, []);
    watch.block("analysis");
    expect(watch.look()).toMatchObject({ wait: "analysis" });
    expect(watch.unblock()).toBe(true);
    watch.forgetWait();
    watch.block("memory");
    expect(watch.look()!.since).toBeGreaterThan(0);
  });
});
