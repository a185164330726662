import { existsSync } from "node:fs";
import { relative } from "node:path";
import type { AttachmentConfig } from "../../config/attachments.js";
import type { Config } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import { PlacedPolicies } from "../../prove/configuration/placed-policies.js";
import type { ExplorationLimits } from "../../prove/explorer/exploration.js";
import { type PropertyAnswer, proveProperty } from "../../prove/property/property-answer.js";
import { propertiesOf } from "../../prove/property/property-file.js";
import { checkPropertyKeys, type PropertyQuestion } from "../../prove/property/property-keys.js";
import { decisionWords, valueWords } from "../../prove/witness/decision-words.js";
import type { CaseResult } from "../../workbench/testing/case-result.js";
import { limitWords } from "../commands/prove/limits.js";

/** The results of the properties beside a configuration's policies, as those of cases. */
export interface ProvedPolicies {
  readonly results: readonly CaseResult[];
  /** The paths of the files of properties. */
  readonly files: readonly string[];
}

/**
 * Proves the properties beside the policies of a configuration. They are about one attachment by itself, which enforces
 * for all tasks. `limits.timeout` is for all properties together. Throws USAGE if there are none, PROPERTY_INVALID, and
 * what linking the policies throws.
 */
export function provePolicies(config: Config, limits: ExplorationLimits): ProvedPolicies {
  const questions = questionsOf(config);
  checkPropertyKeys(questions);
  const results: CaseResult[] = [];
  const end = performance.now() + limits.timeout;
  const bounds = () => ({ ...limits, timeout: Math.max(0, end - performance.now()) });
  for (const attachment of config.attachments) {
    const policies = new PlacedPolicies(aloneIn(config, attachment));
    try {
      for (const question of questions.filter((one) => one.attachment === attachment))
        results.push(resultOf(policies, question, bounds()));
    } finally {
      policies.close();
    }
  }
  if (results.length > 0) return { results, files: [...new Set(questions.map(({ file }) => file))] };
  throw new CountersignError("USAGE", "no policy has properties beside it", {
    place: config.file,
    remedy: "write POLICY.properties.js beside a policy; see `countersign prove property --help`",
  });
}

/** A property beside the policy of an attachment. */
interface Question extends PropertyQuestion {
  readonly attachment: AttachmentConfig;
  readonly file: string;
}

/** The properties beside all policies, with each hook of the attachment. */
function questionsOf(config: Config): readonly Question[] {
  const policies = new PlacedPolicies(config);
  policies.close();
  return policies.placed.flatMap(({ attachment, hooks }) =>
    hooks.flatMap((hook) =>
      propertyFiles(attachment.policy, hook).flatMap((file) =>
        propertiesOf(relative("", file)).map((property) => ({ attachment, hook, file, property })),
      ),
    ),
  );
}

/** The files of properties of a policy for a hook that exist: those for all of its hooks, and those for this one. */
function propertyFiles(policy: string, hook: HookName): readonly string[] {
  const path = policy.replace(/\.[a-z]+$/, "");
  return [`${path}.properties.js`, `${path}.${hook}.properties.js`].filter((file) => existsSync(file));
}

function aloneIn(config: Config, attachment: AttachmentConfig): Config {
  return { ...config, mode: "enforce", attachments: [{ ...attachment, mode: "enforce", scope: {} }] };
}

function resultOf(policies: PlacedPolicies, question: Question, bounds: ExplorationLimits): CaseResult {
  const { attachment, hook, file, property } = question;
  const start = performance.now();
  const answer = proveProperty(policies, hook, property, bounds);
  const got = answerText(answer);
  return {
    ...{ attachment: attachment.name, place: relative("", file), name: property.name, file: `any at ${hook}`, hook },
    ...{ expected: "proved", got, unused_reasons: [], unused_answers: [], passed: answer.answer === "proved" },
    duration: performance.now() - start,
  };
}

function answerText({ answer, witness, model, doubts }: PropertyAnswer): string {
  if (witness !== null) {
    const values = Object.entries(witness.values).map(([name, value]) => valueWords(name, value));
    return `${answer}: ${decisionWords(witness.decision)}, with ${values.join(", ") || "anything"}`;
  }
  const reasons = [
    ...model.map((conditions) => `if ${conditions.join(" and ") || "anything"}`),
    ...doubts.map(({ why, place, limit }) => `${place === null ? "" : `${place}: `}${limitWords(why, limit ?? null)}`),
  ];
  return reasons.length === 0 ? answer : `${answer}: ${reasons.join("; ")}`;
}
