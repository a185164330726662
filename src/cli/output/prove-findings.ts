import { dirname, isAbsolute, relative, resolve } from "node:path";
import type { ComparisonAnswer, DifferenceKind } from "../../prove/compare/comparison.js";
import type { PropertyAnswer } from "../../prove/property/property-answer.js";
import type { Doubt } from "../../prove/shared/doubt.js";
import type { DeadCode } from "../../prove/table/dead-code.js";
import { decisionWords, valueWords } from "../../prove/witness/decision-words.js";
import type { RuleText } from "../../workbench/lint/model/rule.js";
import type { Finding } from "../../workbench/lint.js";

/** What the prover finds, for code hosts. Codes are stable. */
export const PROVE_RULES: readonly (Pick<RuleText, "code" | "summary" | "consequence"> & { code: ProveCode })[] = [
  {
    code: "PROVE_REFUTED",
    summary: "a property that is false for a decision",
    consequence: "The policies do not do what the property says: the example shows a decision.",
  },
  {
    code: "PROVE_DIFFERS",
    summary: "a decision that another configuration makes otherwise",
    consequence: "What was allowed is denied, or the reverse.",
  },
  {
    code: "PROVE_DEAD",
    summary: "code that no decision reaches, or a branch that none takes",
    consequence: "A rule that its author believes to be in force may not be.",
  },
  {
    code: "PROVE_NOT_DECIDED",
    summary: "something that the prover does not decide",
    consequence: "Nothing is known of the decisions that depend on it.",
  },
];

type ProveCode = "PROVE_REFUTED" | "PROVE_DIFFERS" | "PROVE_DEAD" | "PROVE_NOT_DECIDED";

/** Properties that are refuted or not decided. `file` has them; null for those that ship. */
export function propertyFindings(
  answers: readonly PropertyAnswer[],
  config: string,
  file: string | null,
): readonly Finding[] {
  const folder = dirname(config);
  return answers.flatMap(({ property, hook, answer, witness, model, doubts }) => {
    if (answer === "not decided")
      return doubts.map((doubt) => {
        const message = `\`${property}\` at ${hook}: ${doubt.why}`;
        // Places in a file of properties are relative to the working directory
        if (file !== null && doubt.place?.startsWith(`${file}:`) === true) return undecided(message, doubt, "", config);
        return undecided(message, isAbsolute(doubt.place ?? "") ? NO_PLACE : doubt, folder, config);
      });
    if (answer === "proved") return [];
    const values = Object.entries(witness?.values ?? {}).map(([name, value]) => valueWords(name, value));
    const example = witness === null ? (model[0] ?? []) : values;
    const message = `\`${property}\` is ${answer} at ${hook}, with ${example.join(", ") || "anything"}`;
    return [finding("PROVE_REFUTED", "error", message, null, folder, file ?? config)];
  });
}

/** Differences of two configurations, at the line of the denial, and what is not decided. `config` is the new one. */
export function comparisonFindings(answers: readonly ComparisonAnswer[], config: string): readonly Finding[] {
  return answers.flatMap(({ hook, differences, doubts }) => [
    ...differences.map(({ kind, values, ...decided }) => {
      const example = Object.entries(values).map(([name, value]) => valueWords(name, value));
      const [old, its] = [decided.old, decided.new].map(decisionWords);
      const message = `at ${hook}, ${KINDS[kind]} (${old}, now ${its}), with ${example.join(", ") || "anything"}`;
      const severity = kind === "allowed" ? "error" : "warning";
      return finding("PROVE_DIFFERS", severity, message, decided.new.place ?? decided.old.place, "", config);
    }),
    ...doubts.map((doubt) => undecided(`at ${hook}: ${doubt.why}`, doubt, "", config)),
  ]);
}

const KINDS: Readonly<Record<DifferenceKind, string>> = {
  allowed: "what was denied is allowed",
  denied: "what was allowed is denied",
  errno: "the errno of a denial is another",
  reason: "a denial is for another reason",
};

/** Dead code, and attachments of which it is not known. */
export function deadFindings(found: readonly DeadCode[], config: string): readonly Finding[] {
  return found.flatMap(({ attachment, scope, place, keys, places, unknown }) => {
    const dead = (message: string, file: string) => finding("PROVE_DEAD", "warning", message, null, "", file);
    const [, file = config, line, column] = /^(.*):(\d+):(\d+)$/.exec(place) ?? [];
    const at = line === undefined ? {} : { line: Number(line), column: Number(column) };
    return [
      ...(scope === null ? [] : [{ ...dead(`${scope} is in the scope of ${attachment}`, file), ...at }]),
      ...keys.map(({ map, key, file, line, column }) => {
        return { ...dead(`the map ${map} has no entry ${JSON.stringify(key)}`, file), line, column };
      }),
      ...places.map(({ file, line, column, branch }) => {
        const message = branch === null ? `${attachment} never reaches this` : `for ${attachment}, never: ${branch}`;
        return { ...dead(message, file), line, column };
      }),
      ...(unknown === null ? [] : [undecided(`dead code of ${attachment}: ${unknown}`, NO_PLACE, "", config)]),
    ];
  });
}

const NO_PLACE: Pick<Doubt, "place"> = { place: null };

function undecided(message: string, { place }: Pick<Doubt, "place">, folder: string, file: string): Finding {
  return finding("PROVE_NOT_DECIDED", "warning", `not decided: ${message}`, place, folder, file);
}

/** `place` is `file:line`, relative to `folder`; without it the finding is about `file`. */
function finding(
  code: ProveCode,
  severity: Finding["severity"],
  message: string,
  place: string | null,
  folder: string,
  file: string,
): Finding {
  const [, its, line] = /^(.*):(\d+)$/.exec(place ?? "") ?? [];
  const path = its === undefined ? file : resolve(folder, its);
  const shown = relative("", resolve(path)).replaceAll("\\", "/");
  const at = { file: shown, line: line === undefined ? null : Number(line), column: null };
  return { code, severity, message, ...at, remedy: null, fix: null };
}
