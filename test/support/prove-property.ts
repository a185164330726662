/** Properties that are proved in tests, of configurations in a folder of their own. */
import type { HookName } from "../../src/hooks/catalogue.js";
import type { PlacedPolicies } from "../../src/prove/configuration/placed-policies.js";
import type { PropertySource } from "../../src/prove/explorer/rewritten-policy.js";
import { EvaluatedProperty } from "../../src/prove/property/evaluated-property.js";
import { proveProperty } from "../../src/prove/property/property-answer.js";
import { SymbolValues } from "../../src/prove/witness/symbol-values.js";
import { numbers } from "./damage.js";
import { randomInput } from "./prove.js";
import { withPolicies } from "./prove-configuration.js";

const HOOK = "bpf_prog_load" satisfies HookName;
export const KEY =
  "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA8oCnugo1qOxuz5KhS2BbkbWS47FuLwqOq9NCudjmNSs=\n-----END PUBLIC KEY-----\n";

/** A configuration with one policy, which has this text, and more keys. */
export function oneAttachment(policy: string, more = ""): Readonly<Record<string, string>> {
  const yaml = `version: 1\nkeyrings: { platform: { trust: [key.pem] } }\nattachments: [{ policy: policy.js }]\n${more}\n`;
  return { "policy.js": policy, "key.pem": KEY, "countersign.yaml": yaml };
}

/** A property named `property` of a file with this text; an expression is what it returns. */
export function propertyOf(text: string): PropertySource {
  const whole = text.includes("export")
    ? text
    : `export const property = (prog, current, decision, { verified, signer, change, decide, keyrings }) => ${text};`;
  return { file: "property.js", files: { read: () => whole, root: "." }, name: "property" };
}

/** The answer for a property of a configuration. */
export function answerFor(files: Readonly<Record<string, string>>, text: string, paths = 2_000) {
  return withPolicies(files, (policies) =>
    proveProperty(policies, HOOK, propertyOf(text), { paths, timeout: 600_000 }),
  );
}

/** What is wrong with the paths of a property for inputs drawn by chance; null if nothing is. */
export function flawOf(
  policies: PlacedPolicies,
  text: string,
  seed: number,
  inputs: number,
  paths = 2_000,
): string | null {
  const property = propertyOf(text);
  const exploration = policies.explore(HOOK, { paths, timeout: 600_000 }, property);
  // An input may be on a path that was not explored
  const least = exploration.unfinished === null ? 1 : 0;
  const evaluated = new EvaluatedProperty(policies, HOOK, property);
  try {
    const next = numbers(seed);
    for (let round = 0; round < inputs; round++) {
      const input = randomInput(exploration, next);
      const values = new SymbolValues(input, exploration.knowledge);
      const own = exploration.paths.filter(({ conditions }) => values.satisfy(conditions));
      const [path] = own;
      if (own.length < least || own.length > 1) return `it is on ${own.length} paths (round ${round})`;
      if (path === undefined || path.end.kind === "not decided") continue;
      const evaluation = evaluated.at(input);
      const { holds } = evaluation;
      const expected = path.end.kind === "property" ? path.end.holds : "?";
      if (holds !== expected)
        return `it is ${"failure" in evaluation ? evaluation.failure : holds}, not ${expected} (round ${round}): ${JSON.stringify(path)}`;
    }
    return null;
  } finally {
    evaluated.close();
  }
}
