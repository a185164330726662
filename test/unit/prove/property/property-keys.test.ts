import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HOOK_NAMES, type HookName } from "../../../../src/hooks/catalogue.js";
import { PROPERTY_FACTS } from "../../../../src/policy/model/property-facts.js";
import { EvaluatedProperty } from "../../../../src/prove/property/evaluated-property.js";
import { proveProperty } from "../../../../src/prove/property/property-answer.js";
import { propertiesOf } from "../../../../src/prove/property/property-file.js";
import { checkPropertyKeys } from "../../../../src/prove/property/property-keys.js";
import { concerns, shippedProperties } from "../../../../src/prove/property/shipped-properties.js";
import { numbers } from "../../../support/damage.js";
import { randomInput } from "../../../support/prove.js";
import { withPolicies } from "../../../support/prove-configuration.js";
import { oneAttachment, propertyOf } from "../../../support/prove-property.js";

const POLICY =
  'import { deny } from "countersign"; export const bpf_prog_load = (prog) => prog.effects.redirects ? deny("no") : 0;';

/** Why a property with this body is rejected: place and message. Null if it is not. */
function rejection(body: string, hook: HookName = "bpf_prog_load", parameters = "(prog, current, decision, all)") {
  try {
    checkPropertyKeys([{ hook, property: propertyOf(`export const property = ${parameters} => {\n${body}\n};`) }]);
    return null;
  } catch (error) {
    const { code, place, message } = error as { code: string; place: string; message: string };
    return `${code} ${place} ${message}`;
  }
}

const rejected = (place: string, key: string, of: string, meant: string): string =>
  `PROPERTY_INVALID property.js:${place} \`property\`: reads \`${key}\`, which ${of} does not have ` +
  `(did you mean \`${meant}\`?)`;

/** Reads of a key that does not exist, with what does not have it, what was meant, and the column. */
const READS: readonly (readonly [body: string, key: string, of: string, meant: string, column: number])[] = [
  ["return prog.efects.redirects;", "efects", "Program", "effects", 13],
  ["return prog?.maps[0]?.nmae === '';", "nmae", "MapFacts", "name", 23],
  ["return current.container?.labls === null;", "labls", "Container", "labels", 27],
  ["return decision.verdit === 0;", "verdit", "Decision", "verdict", 17],
  ["const { verdit = 0 } = decision; return verdit === 0;", "verdit", "Decision", "verdict", 9],
  ["return decision.answers.every((one) => one.falt === null);", "falt", "Answer", "fault", 44],
  ["return decision.answers.evry(() => true);", "evry", "an array", "every", 25],
  ["for (const { mde } of decision.answers) if (mde) return true;", "mde", "Answer", "mode", 14],
  ["return all.verifed(prog);", "verifed", "PropertyHelpers", "verified", 12],
  ["const { sgner } = all; return sgner(prog) === null;", "sgner", "PropertyHelpers", "signer", 9],
  ["return all.keyrings.lenght === 0;", "lenght", "an array", "length", 21],
  ["return all.signer(prog)?.subjct === null;", "subjct", "Signer", "subject", 26],
  ["const { decide } = all; return decide(prog, current).verdit === 0;", "verdit", "Decision", "verdict", 54],
  ["return all.change(current, { uid: 0 }).udi === 0;", "udi", "Current", "uid", 40],
  ["const { change } = all; return change(current.container, {}).labls;", "labls", "Container", "labels", 62],
];

describe("a property that misspells a key", () => {
  it.each(READS)("is rejected by its text: %s", (body, key, of, meant, column) => {
    expect(rejection(body)).toBe(rejected(`2:${column}`, key, of, meant));
  });

  it("is rejected where its parameters are patterns", () => {
    expect(rejection("return true;", "bpf_prog_load", "(prog, { uid }, { verdit })")).toBe(
      rejected("1:43", "verdit", "Decision", "verdict"),
    );
  });

  it("is rejected by the subject of the hook", () => {
    expect(rejection("return prog.max_entrys === 0;", "bpf_map")).toBe(
      rejected("2:13", "max_entrys", "BpfMap", "max_entries"),
    );
    expect(rejection("return prog.max_entries === 0;", "bpf_map")).toBeNull();
    expect(rejection("return prog.max_entries === 0;", "bpf_prog_load")).toContain("which Program does not have");
  });

  it("is rejected though another path has a counterexample, after which none is explored", () => {
    const text = `export const property = (prog, current, decision) =>
  decision.verdict !== 0 ? false : decision.verdit === 0;`;
    const answer = withPolicies(oneAttachment(POLICY), (policies) =>
      proveProperty(policies, "bpf_prog_load", propertyOf(text), { paths: 2_000, timeout: 60_000 }),
    );
    expect([answer.answer, answer.explored]).toEqual(["refuted", "up to the witness"]);
    expect(() => checkPropertyKeys([{ hook: "bpf_prog_load", property: propertyOf(text) }])).toThrow("reads `verdit`");
  });

  it("is rejected with the folder of its file in the place", () => {
    const property = { ...propertyOf("decision.verdit === 0"), folder: "some/folder/" };
    expect(() => checkPropertyKeys([{ hook: "bpf_prog_load", property }])).toThrow(
      expect.objectContaining({ place: expect.stringMatching(/^some\/folder\/property\.js:1:\d+$/) }),
    );
  });

  it("is not rejected if the file tests for the key", () => {
    expect(rejection('return !("verdit" in decision) || decision.verdit === 0;')).toBeNull();
  });
});

describe("each key that there is", () => {
  const EXPRESSIONS = { Decision: "decision", Answer: "decision.answers[0]", PropertyHelpers: "all" };
  const KEYS = Object.entries(PROPERTY_FACTS).flatMap(([name, keys]) =>
    Object.keys(keys).map((key) => [EXPRESSIONS[name as keyof typeof EXPRESSIONS], key] as const),
  );

  it.each(KEYS)("%s.%s is found by the text, and when the property is explored", (object, key) => {
    const body = `return ${object}.${key} !== undefined;`;
    expect(rejection(body)).toBeNull();
    const property = propertyOf(`export const property = (prog, current, decision, all) => {${body}};`);
    const { answer } = withPolicies(oneAttachment(POLICY), (policies) =>
      proveProperty(policies, "bpf_prog_load", property, { paths: 2_000, timeout: 60_000 }),
    );
    expect(answer).toBe("proved");
  });

  it.each(Object.entries(EXPRESSIONS))("%s has those that the engine's object has", (name, object) => {
    const keys = Object.keys(PROPERTY_FACTS[name as keyof typeof EXPRESSIONS])
      .sort()
      .join();
    const text = (condition: string) =>
      propertyOf(`export const property = (prog, current, decision, all) => ${condition};`);
    const holds = withPolicies(oneAttachment(POLICY), (policies) => {
      const exploration = policies.explore("bpf_prog_load", { paths: 2_000, timeout: 60_000 }, text("true"));
      const evaluated = new EvaluatedProperty(
        policies,
        "bpf_prog_load",
        text(`Object.keys(${object}).sort().join() === "${keys}"`),
      );
      try {
        return evaluated.at(randomInput(exploration, numbers(1))).holds;
      } finally {
        evaluated.close();
      }
    });
    expect(holds).toBe(true);
  });

  it("is accepted in the properties that ship, at each hook that they are about", () => {
    const questions = shippedProperties().flatMap((property) =>
      HOOK_NAMES.filter((hook) => concerns(property.name, hook)).map((hook) => ({ hook, property })),
    );
    expect(questions.length).toBeGreaterThan(HOOK_NAMES.length);
    expect(() => checkPropertyKeys(questions)).not.toThrow();
  });

  it("is accepted in the properties beside the policies that ship", () => {
    const folder = join(import.meta.dirname, "../../../../policies");
    const files = readdirSync(folder).filter((name) => name.endsWith(".properties.js"));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files)
      for (const property of propertiesOf(join(folder, name)))
        for (const hook of [name.includes("blobs") ? "blob_verify" : "bpf_prog_load"] as const)
          expect(() => checkPropertyKeys([{ hook, property }])).not.toThrow();
  });
});
