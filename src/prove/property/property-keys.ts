import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import { checkFacts } from "../../policy/checks/unknown-facts.js";
import { SUBJECTS } from "../../policy/model/facts.gen.js";
import { LinkTime } from "../../policy/syntax/link-time.js";
import { functionParameters } from "../../policy/units/fact-flow.js";
import { readUnits } from "../../policy/units/units.js";
import type { PropertySource } from "../explorer/rewritten-policy.js";

/** A property, and the hook whose decisions it is about. */
export interface PropertyQuestion {
  readonly hook: HookName;
  readonly property: PropertySource;
}

/**
 * Throws PROPERTY_INVALID for a key that an object which a property gets does not have, if the text shows that the
 * property reads it, as the linker checks facts that a policy reads. To be called for all properties before the first
 * one is explored: an exploration ends at a counterexample, and does not see what other paths read.
 */
export function checkPropertyKeys(questions: Iterable<PropertyQuestion>): void {
  for (const { hook, property } of questions) checkKeys(hook, property);
}

function checkKeys(hook: HookName, { file, files, folder = "", name }: PropertySource): void {
  const units = readUnits(file, files, new LinkTime(file));
  try {
    checkFacts(functionParameters(units, [[name, [SUBJECTS[hook], "Current", "Decision", "PropertyHelpers"]]]));
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== "POLICY_UNKNOWN_FACT") throw error;
    const { message, place, remedy, cause } = error;
    throw new CountersignError("PROPERTY_INVALID", `\`${name}\`: ${message}`, {
      place: `${folder}${place}`,
      remedy,
      cause,
    });
  }
}
