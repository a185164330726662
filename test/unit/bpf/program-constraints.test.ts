import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { programFacts } from "../../../src/bpf/analysis/program-facts.js";
import { codeOf, encode } from "../../../src/bpf/assembly/assembly.js";
import { describedProgram } from "../../../src/bpf/described-program.js";
import { EFFECTS, NO_STATEMENTS, type ProgramFacts } from "../../../src/bpf/model/facts.js";
import { factsOfMap } from "../../../src/bpf/model/map-memory.js";
import { MAP_FIELDS, PROGRAM_FIELDS } from "../../../src/bpf/model/program-fields.js";
import { factsOfObject } from "../../../src/bpf/object.js";
import {
  brokenConstraints,
  PROGRAM_BEGINNINGS,
  PROGRAM_CLAUSES,
  PROGRAM_MULTIPLES,
} from "../../../src/bpf/program-constraints.js";
import { HELPER_ROWS } from "../../../src/bpf/tables/helpers.js";
import { HELPERS, MAP_TYPES } from "../../../src/bpf/tables/names.gen.js";
import { PROGRAM_TYPE_ROWS } from "../../../src/bpf/tables/program-types.js";
import { programSubject } from "../../../src/engine/files/program-subject.js";
import { domainsOf } from "../../../src/fact-type.js";
import { outsideDomain } from "../../../src/prove/facts/in-domain.js";
import { numbers, seedOf } from "../../support/damage.js";
import { RANDOM_MAPS, randomProgram } from "../../support/random-programs.js";

const ROOT = join(import.meta.dirname, "../../..");
const FOLDERS = ["examples", "test/unit/bpf/fixtures", "test/hostile/fixtures/recognition", "src/seal/guard"];
const OBJECTS = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(".o"))
    .map((name) => join(folder, name)),
);
const LICENSES = ["GPL", "GPL v2", "Dual BSD/GPL", "Proprietary", "", "gpl", "GPL\0", "BSD"];
const DOMAIN = { kind: "object", declared: "Program", fields: domainsOf(PROGRAM_FIELDS) } as const;
const NO_ORIGIN = { signature: null, ...NO_STATEMENTS, kernel_signature: null, kernel_keyring: null, object: null };
const seed = seedOf();

function check(facts: ProgramFacts, place: string): void {
  expect(brokenConstraints(facts), place).toEqual([]);
  expect(outsideDomain(programSubject(facts, NO_ORIGIN), DOMAIN, "prog"), place).toEqual([]);
}

const described = (type: string, license: string, helpers: readonly string[]) =>
  describedProgram({
    ...{ name: "generated", type, license, helpers, kfuncs: [], maps: [], effects: {} },
    ...{ expected_attach_type: null, attach_to: null, section: null, insn_cnt: undefined, returns: undefined },
  });

describe("the constraints and domains of facts about programs", () => {
  it.each(OBJECTS)("hold for the programs of %s", (path) => {
    const { programs } = factsOfObject(readFileSync(join(ROOT, path)));
    expect(programs.length).toBeGreaterThan(0);
    for (const facts of programs) check(facts, facts.name);
  });

  it("hold for a program of each type, also of one that is not known", () => {
    for (const type of [...PROGRAM_TYPE_ROWS.keys(), "unknown"])
      for (const license of LICENSES) check(described(type, license, []), `${type} ${license}`);
  });

  it("hold for a program that calls each helper", () => {
    for (const row of HELPER_ROWS)
      if (row !== undefined)
        for (const type of ["xdp", "kprobe"]) check(described(type, "GPL", [HELPERS[row.id]!]), row.name);
  });

  it(`hold for programs drawn by chance (seed ${seed})`, { tags: ["deep"] }, () => {
    for (let round = 0; round < 500; round++) {
      const next = numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0);
      const text = randomProgram(next);
      const code = codeOf(text, { type: "xdp", maps: RANDOM_MAPS });
      const insns = encode(code.insns);
      const license = LICENSES[next(LICENSES.length)]!;
      const origin = { name: "random", section: null, license, insns, rawInsns: insns };
      check(programFacts(code, origin), `seed ${seed}, round ${round}:\n${text}`);
    }
  });

  it("hold for the memory of the largest map of each type, which is no exact integer", () => {
    const sizes = { key_size: 2 ** 32 - 1, value_size: 2 ** 32 - 1, max_entries: 2 ** 32 - 1 };
    const domain = { kind: "object", declared: "MapFacts", fields: domainsOf(MAP_FIELDS) } as const;
    const memory = [...MAP_TYPES, "unknown"].map((type) => {
      const facts = factsOfMap({ name: "large", type, ...sizes, flags: 0, contents: null });
      expect(outsideDomain(facts, domain, type)).toEqual([]);
      return facts.memory;
    });
    expect(Math.max(...memory)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  });

  it("are broken by facts that contradict each other", () => {
    const [real] = factsOfObject(readFileSync(join(ROOT, "examples/drop-telnet.o"))).programs as [ProgramFacts];
    const all = Object.fromEntries(EFFECTS.map((name) => [name, true])) as unknown as ProgramFacts["effects"];
    const none = Object.fromEntries(EFFECTS.map((name) => [name, false])) as unknown as ProgramFacts["effects"];
    const contradictions: readonly Partial<ProgramFacts>[] = [
      { effects: { ...all, read_only: true } },
      { effects: { ...none, read_only: false } },
      { license: "Proprietary", gpl_compatible: true },
      { license: "GPL", gpl_compatible: false },
      { type: "unknown", effects: { ...none, read_only: true } },
      { insn_cnt: real.insn_cnt + 1 },
      { tag: "0".repeat(16) },
    ];
    for (const more of contradictions) expect(brokenConstraints({ ...real, ...more })).not.toEqual([]);
  });

  it("name only facts that exist", () => {
    const facts = Object.keys(PROGRAM_FIELDS);
    const named = [...PROGRAM_CLAUSES.flatMap(({ any }) => any), ...PROGRAM_MULTIPLES, ...PROGRAM_BEGINNINGS];
    for (const { fact } of named) expect(facts).toContain(fact.split(".")[0]);
  });
});
