/**
 * The prover's solver, and z3 and cvc5, about the same questions: those that it gets while shipped policies, hostile
 * ones, and policies and configurations drawn by chance are explored. `unsatisfiable` for what z3 finds values for
 * would be a false proof; values for what z3 refutes, a path that no input takes.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { proveProperty } from "../../src/prove/property/property-answer.js";
import { shippedProperties } from "../../src/prove/property/shipped-properties.js";
import { solve } from "../../src/prove/solver/solver.js";
import { watchQueries } from "../support/asked-queries.js";
import { numbers, seedOf } from "../support/damage.js";
import { HOSTILE_BODIES, policyWithBody } from "../support/hostile-bodies.js";
import { ExploredPolicy } from "../support/prove.js";
import { withPolicies } from "../support/prove-configuration.js";
import { RANDOM_KNOWLEDGE, randomConditions } from "../support/random-conditions.js";
import { randomFiles } from "../support/random-configurations.js";
import { randomPolicy } from "../support/random-policies.js";
import { amount } from "./nightly.js";
import { Inexpressible, smtQuery } from "./prove/smt-query.js";
import { askSmt, isInstalled, SMT_SOLVERS } from "./prove/smt-solver.js";

const FOLDER = join(import.meta.dirname, "../../policies");
const SHIPPED = readdirSync(FOLDER).filter((name) => /^[\w-]+\.(js|ts)$/.test(name) && !name.includes(".test."));
const POLICIES = Number(process.env.POLICIES ?? amount(10, 200));
const CONDITIONS = amount(300, 5_000);
const CONFIGURATIONS = amount(3, 50);
/** The short form has the policies of the unit tests. */
const seed = process.env.COUNTERSIGN_NIGHTLY === "1" || process.env.SEED !== undefined ? seedOf() : 1;
/** In milliseconds, of one question. */
const PATIENCE = Number(process.env.PATIENCE ?? amount(300, 5_000));
/** Of more questions of one source, some that are drawn are asked. */
const QUESTIONS = Number(process.env.QUESTIONS ?? amount(100, 5_000));

/** What is explored, by where its questions come from. */
const SOURCES: Readonly<Record<string, () => void>> = {
  "shipped policies": () => {
    for (const name of SHIPPED) {
      const policy = ExploredPolicy.shipped(name);
      for (const hook of policy.hooks) policy.explore(hook);
      policy.close();
    }
  },
  "hostile policies": () => {
    for (const body of Object.values(HOSTILE_BODIES)) exploreIfLinked(() => policyWithBody(body));
  },
  [`policies drawn by chance (seed ${seed})`]: () => {
    for (let round = 0; round < POLICIES; round++) {
      const next = numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0);
      exploreIfLinked(() => ExploredPolicy.of(randomPolicy(next)));
    }
  },
  [`conditions drawn by chance (seed ${seed})`]: () => {
    const next = numbers(seed);
    for (let round = 0; round < CONDITIONS; round++) solve(randomConditions(next), RANDOM_KNOWLEDGE);
  },
  [`configurations drawn by chance, with the properties that ship (seed ${seed})`]: () => {
    for (let round = 0; round < CONFIGURATIONS; round++) proveShipped(numbers((seed + round) >>> 0));
  },
};

function exploreIfLinked(made: () => ExploredPolicy): void {
  let policy: ExploredPolicy;
  try {
    policy = made();
  } catch {
    return;
  }
  policy.explore("bpf_prog_load", 300);
  policy.close();
}

/** Proves the properties that ship of a configuration drawn by chance, if its policies can be linked. */
function proveShipped(next: (below: number) => number): void {
  try {
    withPolicies(randomFiles(next), (policies) => {
      for (const property of shippedProperties())
        proveProperty(policies, "bpf_prog_load", property, { paths: 50, timeout: 60_000 });
    });
  } catch (error) {
    if (!/POLICY_|CONFIG_/.test(String((error as { code?: string }).code))) throw error;
  }
}

interface Asked {
  readonly ours: "sat" | "unsat" | "unknown";
  readonly isExact: boolean;
  readonly conditions: string;
}

interface Questions {
  readonly asked: ReadonlyMap<string, Asked>;
  readonly inexpressible: number;
}

/** Of each source, which both solvers are asked. */
const collected = new Map<string, Questions>();

/** The different questions of a source in SMT-LIB, and how many have no form in it. */
function questionsOf(source: string): Questions {
  const known = collected.get(source) ?? collect(SOURCES[source]!);
  collected.set(source, known);
  return known;
}

function collect(act: () => void): Questions {
  const asked = new Map<string, Asked>();
  const others = new Set<string>();
  watchQueries(act, ({ conditions, knowledge, answer }) => {
    const ours = typeof answer !== "string" ? "sat" : answer === "unsatisfiable" ? "unsat" : "unknown";
    try {
      const { text, isExact } = smtQuery(conditions, knowledge);
      if (!asked.has(text)) asked.set(text, { ours, isExact, conditions: JSON.stringify(conditions) });
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error;
      others.add(JSON.stringify(conditions));
    }
  });
  return { asked, inexpressible: others.size };
}

describe.each(SMT_SOLVERS)("$name", (solver) => {
  it.for(Object.keys(SOURCES))("agrees with the prover's solver about %s", (name, context) => {
    if (!isInstalled(solver)) return context.skip(`needs Debian's package ${solver.name}`);
    const { asked: all, inexpressible } = questionsOf(name);
    const next = numbers(seed);
    const asked = new Map([...all].filter(() => next(all.size) < QUESTIONS));
    const counts = {
      ...{ questions: all.size, asked: asked.size, inexpressible, agreed: 0, weaker: 0 },
      ...{ "not decided by the prover": 0, "not decided by the other": 0 },
    };
    const disagreements: unknown[] = [];
    const answers = askSmt(solver, [...asked.keys()], PATIENCE);
    for (const [index, [text, { ours, isExact, conditions }]] of [...asked].entries()) {
      const theirs = answers[index]!;
      if (ours === "unknown") counts["not decided by the prover"] += 1;
      else if (theirs === "unknown") counts["not decided by the other"] += 1;
      else if (!isExact && theirs === "sat") counts.weaker += 1;
      else if (theirs === ours) counts.agreed += 1;
      else disagreements.push({ ours, theirs, conditions, text });
    }
    console.log(`${solver.name}, ${name}: ${JSON.stringify(counts)}`);
    expect(disagreements).toEqual([]);
    expect(counts.agreed).toBeGreaterThan(asked.size / 4);
  });
});
