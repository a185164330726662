import { describe, expect, it } from "vitest";
import { EFFECTS } from "../../../../src/bpf/model/facts.js";
import { PROGRAM_FACTS, PROGRAM_FIELDS } from "../../../../src/bpf/model/program-fields.js";
import {
  POSSIBILITIES,
  type ScannedProgram,
  scannedMap,
  scannedSubject,
} from "../../../../src/loaded/facts/scanned-program.js";
import { NO_PROGRAM, usedMap } from "../../../support/translated.js";

const NONE = Object.fromEntries(EFFECTS.map((name) => [name, false]));
const { report: map } = usedMap(5, "hash");
const PROGRAM: ScannedProgram = {
  report: { ...NO_PROGRAM, id: 37, type: "xdp", name: "drop", tag: "0011223344556677", maps: [5] },
  ...{ attachType: "xdp", attachTo: null, digest: "ab".repeat(32), evidence: [], maps: [map] },
  effects: { ...NONE, reads_kernel_memory: true, redirects: true, read_only: false } as never,
};

describe("scannedSubject", () => {
  it("has the facts that the table says a scan knows, and lacks those that are unknown", () => {
    const names = Object.keys(scannedSubject(PROGRAM, "most", true));
    for (const name of PROGRAM_FACTS) {
      const { scan } = PROGRAM_FIELDS[name].known;
      const isUnknown = typeof scan === "object" && "unknown" in scan;
      // what makes these known is given
      const isGiven = ["digest", "tag", "expected_attach_type", "attach_to", "maps"].includes(name);
      expect([name, names.includes(name)]).toEqual([name, !isUnknown || isGiven]);
    }
  });

  it("lacks what is not known of this program", () => {
    const unsure = { ...PROGRAM, digest: null, attachType: undefined, attachTo: undefined, maps: [] };
    const subject = scannedSubject(unsure, "most", false);
    for (const name of ["digest", "tag", "expected_attach_type", "attach_to", "maps"])
      expect(Object.hasOwn(subject, name)).toBe(false);
    expect(subject.loaded).toBeNull();
  });

  it("has the kernel's report only after the load", () => {
    expect(scannedSubject(PROGRAM, "most", true).loaded).toMatchObject({ tag: "0011223344556677", map_ids: [5] });
    expect(scannedSubject(PROGRAM, "most", false).loaded).toBeNull();
  });

  it("has, lacks or leaves out the effects that the program may not have", () => {
    const [most, unknown, least] = POSSIBILITIES.map((each) => scannedSubject(PROGRAM, each, false).effects);
    expect(most).toMatchObject({ reads_kernel_memory: true, redirects: true, sends_signal: false, read_only: false });
    expect(least).toMatchObject({ reads_kernel_memory: false, redirects: false, sends_signal: false, read_only: true });
    expect(unknown).toMatchObject({ sends_signal: false });
    for (const name of ["reads_kernel_memory", "redirects", "read_only"])
      expect(Object.hasOwn(unknown!, name)).toBe(false);
  });

  it("leaves out nothing of a program that surely has no effect", () => {
    const harmless = { ...PROGRAM, effects: { ...NONE, read_only: true } as never };
    for (const each of POSSIBILITIES) expect(scannedSubject(harmless, each, false).effects).toEqual(harmless.effects);
  });
});

describe("scannedMap", () => {
  it("has the facts of a map, with the memory that it takes", () => {
    expect(scannedMap(map)).toMatchObject({ name: "map5", type: "hash", key_size: 4, value_size: 8, contents: null });
    expect(scannedMap(map).memory).toBeGreaterThan(0);
  });

  it("lacks the contents of a map that can have them as a fact", () => {
    const has = (frozen: boolean | null, flags: number) =>
      Object.hasOwn(scannedMap({ ...map, frozen, flags }), "contents");
    expect([has(true, 128), has(null, 128), has(true, 0), has(false, 128)]).toEqual([false, false, true, true]);
  });
});
