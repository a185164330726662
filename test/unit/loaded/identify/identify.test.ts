import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { Kernel } from "../../../../src/bpf/relocate.js";
import { tagOnKernel } from "../../../../src/bpf/report/kernel-tag.js";
import { parseStatement, statementOf } from "../../../../src/bpf/statement.js";
import { KnownPrograms, type LoadedProgram } from "../../../../src/loaded/identify/identify.js";
import { knownPrograms } from "../../../../src/loaded/identify/known-object.js";
import { filePlace, type KnownMap, type KnownProgram } from "../../../../src/loaded/identify/known-program.js";
import { listedPrograms } from "../../../../src/loaded/identify/listed-programs.js";
import { statedPrograms } from "../../../../src/loaded/identify/stated-programs.js";
import { example } from "../../../support/examples.js";
import { switchKernel } from "../../../support/switch-kernel.js";
import { NO_PROGRAM, usedMap } from "../../../support/translated.js";

const kernel = new Kernel(new Btf(switchKernel({ at: 32 }).bytes()));
const programsOf = (name: string) => knownPrograms(example(name), filePlace(`/opt/${name}`, null), kernel);
const [limit, measure] = programsOf("rate-limit") as [KnownProgram, KnownProgram];
const [watch] = programsOf("switch-watch") as [KnownProgram];
const knowing = (...programs: readonly KnownProgram[]) =>
  new KnownPrograms(programs, (insns, digest) => tagOnKernel(kernel.vmlinux, { insns, tag: digest.slice(0, 16) }));
const known = knowing(limit, measure, watch);

/** The maps of a program, in the order of its references: the index of each is its id. */
const mapsOf = ({ references }: KnownProgram) => [...new Set(references!.map(({ map }) => map))];

function loadedAs(program: KnownProgram, given: Partial<LoadedProgram> = {}): LoadedProgram {
  const maps = mapsOf(program);
  const references = program.references!.map(({ map, offset }) => ({ map: maps.indexOf(map), offset }));
  const report = { ...NO_PROGRAM, type: program.type!, tag: program.tag!, name: "any" };
  const reports = maps.map(({ name, type }, id) => usedMap(id, type!, { name: name.slice(0, 15) }).report);
  return { report, digest: null, attachTypes: [], references, maps: reports, ...given };
}

const fitsIn = (program: KnownProgram) => (id: number, map: KnownMap) => mapsOf(program)[id]?.type === map.type;
const identify = (program: KnownProgram, given?: Partial<LoadedProgram>, among = known) =>
  among.identify(loadedAs(program, given), fitsIn(program));
/** What is found, with the place and the name of each. */
const found = (...given: Parameters<typeof identify>) => {
  const identification = identify(...given);
  return identification === null ? null : [identification.by, ...identification.programs.map(({ name }) => name)];
};

describe("knownPrograms", () => {
  it("has the digests and tags of a kernel, and the references to maps", () => {
    expect(limit).toMatchObject({ name: "limit", type: "sched_cls", file: "/opt/rate-limit", offset: null });
    expect(limit.tag).toBe(limit.digest.slice(0, 16));
    expect(limit.references!.map(({ map }) => map.name)).toContain("buckets");
    expect(watch).toMatchObject({ name: "watch_switch", attachType: "trace_raw_tp" });
    const older = new Kernel(new Btf(switchKernel({ at: 40, sha256: false }).bytes()));
    const [there] = knownPrograms(example("switch-watch"), filePlace("x", 64), older) as [KnownProgram];
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
    expect(identify(limit)).toEqual({
      by: "tag",
      programs: [{ ...limit, assigned: new Map(mapsOf(limit).entries()) }],
    });
    expect(found(watch, { digest: watch.digest })).toEqual(["digest", "watch_switch"]);
  });

  it("does not ask for the name, which loaders choose", () => {
    expect(found(limit, { report: { ...loadedAs(limit).report, name: "" } })).toEqual(["tag", "limit"]);
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
    expect(identify(limit, {}, knowing(a, b))?.programs.map(({ file }) => file)).toEqual(["/opt/a", "/opt/b"]);
    const packaged = { ...a, file: "/opt/c", package: { name: "c", version: "1", isUnchanged: true } };
    expect(identify(limit, {}, knowing(a, packaged))?.programs.map(({ file }) => file)).toEqual(["/opt/c", "/opt/b"]);
  });

  it("takes an entry of a list for the program with its digest and type, and never by the tag", () => {
    const { digest } = watch;
    const entry = (value: unknown) => [...listedPrograms([{ file: "list.json", entries: { [digest]: value } }])(...NO)];
    const listed = entry([{ name: "watch", type: watch.type }, { name: "other", type: "xdp" }, null, { name: 1 }, 7]);
    expect(listed.map(({ name, type }) => [name, type])).toEqual([
      ["watch", watch.type],
      ["other", "xdp"],
    ]);
    expect(found(watch, { digest }, knowing(...listed))).toEqual(["digest", "watch"]);
    expect(found(watch, {}, knowing(...listed))).toBeNull();
    expect([...listedPrograms([{ file: "x", entries: { key: { name: "a", type: "xdp" } } }])(...NO)]).toEqual([]);
  });

  it("knows the programs of a statement as those of its object", () => {
    const bytes = example("rate-limit");
    const statement = parseStatement(statementOf(bytes).bytes);
    const stated = [...statedPrograms([{ sha256: statement.sha256, statement }])(...NO)];
    expect(stated.map(({ name, digest, tag }) => [name, digest, tag])).toEqual(
      [limit, measure].map(({ name, digest, tag }) => [name, digest, tag]),
    );
    expect(identify(limit, {}, knowing(...stated))).toMatchObject({
      by: "tag",
      programs: [{ source: "statement", file: statement.sha256, name: "limit", license: limit.license }],
    });
  });
});

/** What a source is called with, if nothing is incomplete. */
const NO = [
  kernel,
  (reason: string) => {
    throw new Error(reason);
  },
] as const;

describe("a program whose loader did not create all maps", () => {
  const maps = mapsOf(limit);
  /** As libbpf writes it, spelt out: calls of 2001000000 and the index of the map in both slots. */
  function without(missing: KnownMap): KnownProgram {
    const insns = Buffer.from(limit.insns!);
    for (const { map, slot } of limit.references!) {
      if (map !== missing) continue;
      for (const at of [slot * 8, slot * 8 + 8]) {
        insns.writeUInt32LE(0x85, at);
        insns.writeUInt32LE(2_001_000_000 + map.index!, at + 4);
      }
    }
    const digest = createHash("sha256").update(insns).digest("hex");
    const references = limit.references!.filter(({ map }) => map !== missing);
    return { ...limit, insns, digest, tag: digest.slice(0, 16), references };
  }
  const named = (program: KnownProgram, name: string) => ({ report: { ...loadedAs(program).report, name } });

  it.each(maps.map((map) => [map.name, map] as const))("is identified without %s", (_, map) => {
    const program = without(map);
    expect(found(program, named(program, "limit"))).toEqual(["tag", "limit"]);
    expect(found(program, { ...named(program, "limit"), digest: program.digest })).toEqual(["digest", "limit"]);
  });

  it("is not identified by another name, another index or another digest", () => {
    const program = without(maps[0]!);
    expect(found(program, named(program, "other"))).toBeNull();
    expect(found(program, { ...named(program, "limit"), digest: limit.digest })).toBeNull();
    const other = without({ ...maps[0]!, index: 9 });
    expect(other.tag).toBe(limit.tag);
    const insns = Buffer.from(program.insns!);
    const slot = limit.references!.find(({ map }) => map === maps[0])!.slot;
    insns.writeUInt32LE(2_001_000_009, slot * 8 + 4);
    const tag = createHash("sha256").update(insns).digest("hex").slice(0, 16);
    expect(found(program, { report: { ...named(program, "limit").report, tag } })).toBeNull();
  });
});
