import { describe, expect, it } from "vitest";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { Kernel } from "../../../../src/bpf/relocate.js";
import { KnownPrograms, type LoadedProgram } from "../../../../src/loaded/identify/identify.js";
import { knownPrograms } from "../../../../src/loaded/identify/known-object.js";
import type { KnownProgram } from "../../../../src/loaded/identify/known-program.js";
import { example } from "../../../support/examples.js";
import { switchKernel } from "../../../support/switch-kernel.js";
import { NO_PROGRAM, usedMap } from "../../../support/translated.js";

const kernel = new Kernel(new Btf(switchKernel({ at: 32 }).bytes()));
const programsOf = (name: string) => knownPrograms(example(name), { file: `/opt/${name}`, offset: null }, kernel);
const [limit, measure] = programsOf("rate-limit") as [KnownProgram, KnownProgram];
const [watch] = programsOf("switch-watch") as [KnownProgram];
const known = new KnownPrograms([limit, measure, watch]);

/** The kernel's ids of the maps of a program, in the order of its references. */
const idsOf = ({ references }: KnownProgram) => [...new Set(references.map(({ map }) => map))];

function loadedAs(program: KnownProgram, given: Partial<LoadedProgram> = {}): LoadedProgram {
  const ids = idsOf(program);
  const references = program.references.map(({ map, offset }) => ({ map: ids.indexOf(map), offset }));
  const report = { ...NO_PROGRAM, type: program.type, tag: program.tag, name: "any" };
  return { report, digest: null, attachTypes: [], references, ...given };
}

const mapsOf = (program: KnownProgram) => (id: number) => usedMap(id, idsOf(program)[id]!.type).report;
const identify = (program: KnownProgram, given?: Partial<LoadedProgram>) =>
  known.identify(loadedAs(program, given), mapsOf(program));

describe("knownPrograms", () => {
  it("has the digests and tags of a kernel, and the references to maps", () => {
    expect(limit).toMatchObject({ name: "limit", type: "sched_cls", file: "/opt/rate-limit", offset: null });
    expect(limit.tag).toBe(limit.digest.slice(0, 16));
    expect(limit.references.map(({ map }) => map.name)).toContain("buckets");
    expect(watch).toMatchObject({ name: "watch_switch", attachType: "trace_raw_tp" });
    const older = new Kernel(new Btf(switchKernel({ at: 40, sha256: false }).bytes()));
    const [there] = knownPrograms(example("switch-watch"), { file: "x", offset: 64 }, older) as [KnownProgram];
    expect(there.digest).not.toBe(watch.digest);
    expect(there.tag).not.toBe(there.digest.slice(0, 16));
  });

  it("has a program once for each way in which loaders relocate it", () => {
    expect(programsOf("switch-watch")).toHaveLength(1);
    // cilium/ebpf puts the functions of `limit` into another order
    expect(programsOf("rate-limit").map(({ name }) => name)).toEqual(["limit", "measure", "limit"]);
  });
});

describe("KnownPrograms.identify", () => {
  it("identifies by the digest that the kernel has, else by the tag", () => {
    expect(identify(limit)).toEqual({ by: "tag", programs: [limit] });
    expect(identify(watch, { digest: watch.digest })).toEqual({ by: "digest", programs: [watch] });
  });

  it("does not ask for the name, which loaders choose", () => {
    expect(identify(limit, { report: { ...loadedAs(limit).report, name: "" } })?.programs).toEqual([limit]);
  });

  const twin = `${watch.digest.slice(0, 16)}${"0".repeat(48)}`;
  it.each<[string, KnownProgram, Partial<LoadedProgram>]>([
    ["another digest with the same tag", watch, { digest: twin }],
    ["another tag", limit, { report: { ...loadedAs(limit).report, tag: "0".repeat(16) } }],
    ["another type", limit, { report: { ...loadedAs(limit).report, type: "sched_act" } }],
    ["another attach type", watch, { attachTypes: ["trace_fentry"] }],
    ["one of two attach types", watch, { attachTypes: ["trace_raw_tp", "trace_fexit"] }],
    ["references that are not shown", limit, { references: null }],
    ["references to other maps", limit, { references: [{ map: 0, offset: 8 }] }],
  ])("does not identify a program with %s", (_, program, given) => {
    expect(identify(program, given)).toBeNull();
  });

  it("names all programs that fit, by file", () => {
    const [a, b] = [
      { ...limit, file: "/opt/b" },
      { ...limit, file: "/opt/a" },
    ];
    const found = new KnownPrograms([a, b]).identify(loadedAs(limit), mapsOf(limit));
    expect(found?.programs.map(({ file }) => file)).toEqual(["/opt/a", "/opt/b"]);
  });
});
