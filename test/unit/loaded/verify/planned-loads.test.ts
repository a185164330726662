import { describe, expect, it } from "vitest";
import type { Candidate } from "../../../../src/loaded/identify/identify.js";
import type { KnownMap } from "../../../../src/loaded/identify/known-program.js";
import { plannedLoads, type Question } from "../../../../src/loaded/verify/planned-loads.js";
import { EXIT, NO_PROGRAM, set, usedMap, wide } from "../../../support/translated.js";

const map = (name: string, type: string): KnownMap => ({ name, type, index: 0, fixed: null });
const [COUNTS, EVENTS] = [map("counts", "hash"), map("events", "ringbuf")];
const known: Candidate = {
  ...({ source: "file", file: "/opt/tool", offset: 64, package: null } as const),
  ...{ name: "count", type: "xdp", attachType: "xdp", license: "GPL", digest: "0".repeat(64), tag: "0".repeat(16) },
  references: [
    { map: COUNTS, offset: null, slot: 0 },
    { map: EVENTS, offset: null, slot: 2 },
  ],
  insns: Buffer.concat([wide(1, 1, 0), wide(2, 1, 0), set(0, 2), EXIT]),
  ...{ flags: 32, functions: [{ start: 0, btfId: 7 }], assigned: new Map([[31, COUNTS]]) },
};
const report = { ...NO_PROGRAM, type: "xdp", gplCompatible: true, btfId: 9 };
const maps = [usedMap(30, "hash").report, usedMap(31, "hash").report, usedMap(32, "ringbuf").report];
const plan = (candidates: readonly Partial<Candidate>[], given: Partial<Question> = {}) =>
  plannedLoads({
    report,
    attachTypes: [],
    maps,
    candidates: candidates.map((each) => ({ ...known, ...each })),
    ...given,
  });

describe("plannedLoads", () => {
  it("gives a known program the maps of the loaded one, also those that only removed instructions refer to", () => {
    const { loads, obstacles } = plan([{}]);
    expect(obstacles).toEqual([]);
    expect(loads.map(({ load }) => load)).toEqual([
      expect.objectContaining({
        ...{ type: 6, attachType: 37, flags: 32, license: "GPL", functions: null },
        references: [
          { slot: 0, map: 31, offset: null },
          { slot: 2, map: 32, offset: null },
        ],
      }),
    ]);
  });

  it("loads the same instructions once, and others apart", () => {
    const { loads } = plan([{}, { file: "/opt/copy" }, { digest: "1".repeat(64) }, { attachType: "xdp_devmap" }]);
    expect(loads.map(({ candidates }) => candidates.length)).toEqual([2, 1, 1]);
  });

  it("gives the types of functions, by the loaded program's BTF, if there are several", () => {
    const functions = [
      { start: 0, btfId: 7 },
      { start: 4, btfId: 8 },
    ];
    expect(plan([{ functions }]).loads[0]?.load.functions).toEqual({
      btf: 9,
      records: new Uint8Array(Uint32Array.of(0, 7, 4, 8).buffer),
    });
  });

  it.each<[string, Partial<Candidate>, Partial<Question>]>([
    ["programs of type tracing need a target", {}, { report: { ...report, type: "tracing" } }],
    ["it was loaded for a device", {}, { report: { ...report, device: { ifindex: 2, netns: 1n } } }],
    ["it takes too long to verify", {}, { report: { ...report, verifiedInsns: 500_001 } }],
    ["its type is not known", {}, { report: { ...report, type: "new" } }],
    ["only the digest of the known program is known", { insns: null }, {}],
    ["the known program has another licence", { license: "Proprietary" }, {}],
    ["its maps are not known", {}, { maps: maps.slice(0, 2) }],
    ["its maps are not known", { references: null, assigned: null }, {}],
  ])("loads nothing where %s", (why, of, given) => {
    expect(plan([of], given)).toEqual({ loads: [], obstacles: [why] });
  });
});
