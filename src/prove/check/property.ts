import type { HookName } from "../../hooks/catalogue.js";
import type { Mode } from "../../policy/model/mode.js";
import type { EvaluatedProperty } from "../property/evaluated-property.js";
import type { CheckedPolicies } from "./checked-policies.js";
import { type Answer, Decision } from "./decision.js";
import { Evaluator, evaluatedPolicy, givenTo } from "./evaluate.js";
import { composition, type Examined } from "./examined.js";
import { notEvaluated } from "./path.js";
import { numberOf, Plain } from "./value.js";

/** A property of the decisions at a hook. Its text answers 0 if it holds, and -1 if it does not. */
export function propertyAt(hook: HookName, policies: CheckedPolicies, property: EvaluatedProperty): Examined {
  const evaluated = evaluatedPolicy(property.source);
  return {
    stated: { property: property.name, text: property.digest, hook, ...composition(hook, policies) },
    end(path) {
      const given = givenTo(path);
      const decision = decisionOf(new Decision(policies, hook, path, given), policies.config.mode);
      const { verdict } = new Evaluator(evaluated, path, decision).answer(hook, given);
      const holds = [0, -1].indexOf(verdict === null ? 1 : Number(numberOf(verdict)));
      if (holds === -1) return notEvaluated("a property that fails or returns no boolean");
      return { end: { holds: holds === 0 }, line: "" };
    },
    ask: (input) => ({ holds: property.at(input).holds }),
  };
}

/** The decision as a property sees it. Attachments are asked when what it reads depends on them. */
function decisionOf(decision: Decision, mode: Mode): Plain {
  const enforced = () => decision.enforced();
  const verdict = () => numberOf(enforced().verdict);
  const answers = () => decision.answers().map((one) => seen(() => one, {}));
  const applied = () => (mode === "audit" ? 0 : verdict());
  return seen(enforced, { mode: () => mode, enforced_verdict: verdict, verdict: applied, answers });
}

function seen(answer: () => Answer, more: Readonly<Record<string, () => unknown>>): Plain {
  return Plain.of({
    attachment: () => answer().by,
    mode: () => answer().mode,
    verdict: () => numberOf(answer().verdict),
    reason: () => (answer().reason === null ? null : notEvaluated("the reason of a denial")),
    fault: () => answer().fault,
    ...more,
  });
}
