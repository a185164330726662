import { expect, it } from "vitest";
import { MapSchema } from "../../../src/policy/maps/map-schema.js";
import type { Input } from "../../../src/prove/witness/input.js";
import { numbers, seedOf } from "../../support/damage.js";
import { ExploredPolicy } from "../../support/prove.js";
import { randomMapInput } from "../../support/random-map-policies.js";
import { randomMapSchema, randomSchemaPolicy, schemaValue } from "../../support/random-schemas.js";

const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";
const POLICIES = Number(process.env.POLICIES ?? (isLong ? 2_000 : 60));
const INPUTS = Number(process.env.INPUTS ?? (isLong ? 200 : 25));
/** The short form has the same policies each time. */
const seed = isLong || process.env.SEED !== undefined ? seedOf() : 1;

it(`what the engine answers with a value of a schema is one of what was found (seed ${seed})`, {
  timeout: 36_000_000,
}, () => {
  const taken = { paths: 0, decided: 0, confirmed: 0, inputs: 0, values: 0 };
  for (let round = 0; round < POLICIES; round++) {
    const next = numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0);
    const [text, rules] = [randomSchemaPolicy(next), randomMapSchema(next)];
    const schema = new MapSchema(rules);
    const policy = ExploredPolicy.of(text);
    const place = `seed ${seed}, round ${round}, ${JSON.stringify(rules)}:\n${text}\n`;
    const exploration = policy.explore("bpf_prog_load", 300, { program_budget: rules });
    const decided = exploration.paths.filter(({ end }) => end.kind !== "not decided");
    taken.paths += exploration.paths.length;
    taken.decided += decided.length;
    for (const { path, status, ...rest } of policy.confirmations(exploration)) {
      if (status === "contradicted") expect.fail(`${place}${JSON.stringify([rest, path])}`);
      if (status === "confirmed" && decided.includes(path)) taken.confirmed += 1;
    }
    for (let drawn = 0; exploration.unfinished === null && drawn < INPUTS; drawn++) {
      const found = new Map<string, unknown>();
      const value = (key: string) => {
        const its = next(5) === 0 ? undefined : schemaValue(rules.values ?? {}, next);
        return its !== undefined && schema.breach(key, its) === null ? its : undefined;
      };
      const input = randomMapInput(exploration, next);
      const answer: Input["answer"] = (origin, key) => {
        if (origin.kind !== "lookup") return input.answer(origin, key);
        if (!found.has(key!)) found.set(key!, value(key!));
        return found.get(key!);
      };
      const flaw = policy.flaw(exploration, { ...input, answer });
      if (flaw !== null) expect.fail(`${place}${flaw} (input ${drawn}, ${JSON.stringify([...found])})`);
      taken.inputs += 1;
      taken.values += [...found.values()].some((its) => its !== undefined) ? 1 : 0;
    }
    policy.close();
  }
  expect(taken.confirmed).toBeGreaterThan(0.9 * taken.decided);
  expect(taken.values).toBeGreaterThan(taken.inputs / 3);
  if (process.env.POLICIES !== undefined) console.log(taken);
});
