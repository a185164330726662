import { afterAll, describe, expect, it } from "vitest";
import { CountersignError } from "../../../../src/error.js";
import { MapSchema, type MapSchemaRules } from "../../../../src/policy/maps/map-schema.js";
import type { Leaf, Refuted, TableCertificate, Tree } from "../../../../src/prove/shared/certificate.js";
import { CertifiedFolder } from "../../../support/certificates.js";
import { numbers } from "../../../support/damage.js";
import { randomMapSchema, randomSchemaPolicy } from "../../../support/random-schemas.js";

const SCHEMA: MapSchemaRules = {
  keys: { enum: ["edge", "core"] },
  values: {
    type: "object",
    properties: { max: { type: "integer", minimum: 1, maximum: 4096 }, level: { enum: ["low", "high", 1, 5] } },
    required: ["max"],
    additionalProperties: false,
  },
};

const BUDGET = `import { deny, map_lookup } from "countersign";
export function bpf_prog_load(prog, { comm }) {
  if (comm === "core") return deny("the core");
  const budget = map_lookup("program_budget", comm);
  if (!budget) return deny("no budget");
  if (comm !== "edge") return deny("a key that the map cannot have");
  if (budget.max === 0 || budget.other) return deny("no such value");
  if (budget.level === "low") return deny("low");
  if (typeof budget.level === "string" && budget.level !== "high") return deny("no such text");
  if (typeof budget.level === "number" && budget.level > 1 && budget.level < 5) return deny("no such number");
  return prog.insn_cnt > 2 * budget.max ? deny(\`more than \${budget.max}\`) : 0;
}
`;

type Refutation = Refuted["refuted"];

function* partsOf(tree: Tree | Refuted): Generator<Leaf | Refuted> {
  if (!("if" in tree)) yield tree;
  else {
    yield* partsOf(tree.yes);
    yield* partsOf(tree.no);
  }
}

describe("a certificate of a policy whose map has a schema", () => {
  const folder = new CertifiedFolder("budget.js", BUDGET, { schema: SCHEMA });
  afterAll(() => folder.remove());
  const certificate = folder.make();
  const { tree } = certificate.tables[0]!;
  const changed = (change: (copy: TableCertificate) => void) => {
    const copy = structuredClone(certificate);
    change(copy);
    return () => folder.check(JSON.stringify(copy));
  };
  const codeOf = (code: string) => expect.objectContaining({ code });

  it("has the ends that values of the schema lead to, and says why there are no others", () => {
    const reasons = [...partsOf(tree)].flatMap((part) =>
      "end" in part && "reason" in part.end ? [part.end.reason] : [],
    );
    const texts = new Set(reasons.map((parts) => parts?.[0] ?? "allowed"));
    expect([...texts].sort()).toEqual(["allowed", "low", "more than ", "no budget", "the core"]);
    const kinds = [...partsOf(tree)].flatMap((part) => ("refuted" in part ? Object.keys(part.refuted as object) : []));
    expect(kinds).toEqual(expect.arrayContaining(["values", "key", "farkas"]));
    expect(folder.check(JSON.stringify(certificate))).toHaveLength(2);
  });

  it("holds the schema, and is outdated by another one", () => {
    expect(certificate.maps).toEqual({ program_budget: SCHEMA });
    const { maps } = certificate;
    for (const other of [{}, { ...maps, debug_read_only: {} }, { program_budget: { values: {} } }])
      expect(changed((copy) => Object.assign(copy, { maps: other }))).toThrow(codeOf("PROOF_OUTDATED"));
    for (const other of ["any", null, [], { program_budget: 1 }])
      expect(changed((copy) => Object.assign(copy, { maps: other }))).toThrow(codeOf("PROOF_MALFORMED"));
  });

  it("is rejected with a witness whose entry breaks the schema", () => {
    for (const entries of [{ edge: { max: 0 } }, { other: { max: 1 } }])
      expect(
        changed((copy) => {
          const [leaf] = [...partsOf(copy.tables[0]!.tree)].filter((part) => "end" in part);
          Object.assign(leaf!.witness, { maps: { program_budget: entries } });
        }),
      ).toThrow(codeOf("PROOF_WITNESS_WRONG"));
  });

  it("is rejected with the refutation of another side", () => {
    const own = [...partsOf(tree)].filter((part) => "refuted" in part);
    const others: readonly Refutation[] = [
      { values: "current.comm" },
      { values: "prog.insn_cnt" },
      { key: 'map_lookup("program_budget","edge")' },
      { key: "current.comm" },
      { key: "prog" },
    ];
    for (const index of own.keys())
      for (const refuted of others)
        expect(
          changed((copy) => {
            const parts = [...partsOf(copy.tables[0]!.tree)].filter((part) => "refuted" in part);
            Object.assign(parts[index]!, { refuted });
          }),
        ).toThrow(codeOf("PROOF_REFUTATION_WRONG"));
  });
});

it("certificates of policies about values of drawn schemas are accepted, with witnesses that satisfy them", () => {
  let count = 0;
  for (let round = 0; round < 40; round++) {
    const next = numbers(7 + round);
    const [text, schema] = [randomSchemaPolicy(next), randomMapSchema(next)];
    const folder = new CertifiedFolder("policy.js", text, { schema });
    try {
      const certificate = folder.make();
      folder.check(JSON.stringify(certificate));
      const checked = new MapSchema(schema);
      for (const part of partsOf(certificate.tables[0]!.tree))
        if ("witness" in part) expect(checked.firstBreach(part.witness.maps.program_budget ?? {})).toBeNull();
      count += 1;
    } catch (error) {
      if (!(error instanceof CountersignError && /^(?:PROOF_UNSUPPORTED|POLICY_)/.test(error.code)))
        expect.fail(`${JSON.stringify(schema)}\n${text}\n${error}`);
    } finally {
      folder.remove();
    }
  }
  expect(count).toBeGreaterThan(10);
});
