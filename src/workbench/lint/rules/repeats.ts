import type { AnyNode } from "acorn";
import { staticName } from "../../../policy/units/property-names.js";
import type { Rule } from "../model/rule.js";

export const DUPLICATE_CASE: Rule = {
  code: "LINT_DUPLICATE_CASE",
  severity: "error",
  summary: "a `case` that the same `switch` has before",
  consequence: "The later case never applies.",
  *check(file) {
    for (const { cases } of file.nodes("SwitchStatement")) {
      const seen = new Set<string>();
      for (const { test } of cases) {
        if (test?.type !== "Literal") continue;
        const key = `${typeof test.value} ${test.value}`;
        if (seen.has(key)) {
          const message = `the \`switch\` has ${file.quote(test)} before, so this case never applies`;
          yield { node: test, message, remedy: "remove one of them, or correct its value" };
        }
        seen.add(key);
      }
    }
  },
};

export const DUPLICATE_KEY: Rule = {
  code: "LINT_DUPLICATE_KEY",
  severity: "error",
  summary: "an object that has a key twice",
  consequence: "The first value is lost.",
  *check(file) {
    for (const { properties } of file.nodes("ObjectExpression")) {
      const seen = new Set<string>();
      for (const property of properties) {
        // A spread between two keys can be meant to be replaced.
        if (property.type !== "Property" || property.kind !== "init") seen.clear();
        else {
          const key = staticName(property.key, property.computed);
          if (key !== null && seen.has(key)) {
            const message = `the object has the key \`${key}\` before, whose value is lost`;
            yield { node: property.key, message, remedy: "remove one of them, or correct its key" };
          }
          if (key !== null) seen.add(key);
        }
      }
    }
  },
};

const FALLS_THROUGH = /falls?[\s-]?through/i;

export const FALLTHROUGH: Rule = {
  code: "LINT_FALLTHROUGH",
  severity: "warning",
  summary: "a `case` that runs on into the next one",
  consequence: "The statements of the next case run as well, such as one that sets another verdict.",
  *check(file) {
    for (const { cases } of file.nodes("SwitchStatement"))
      for (const [index, { consequent }] of cases.entries()) {
        const next = cases[index + 1];
        const last: AnyNode | undefined = consequent.at(-1);
        if (next === undefined || last === undefined || endsIn(consequent, file)) continue;
        if (FALLS_THROUGH.test(file.text({ start: consequent[0]!.start, end: next.start }))) continue;
        const message = "this case does not end in `break` or `return`, so the statements of the next one run as well";
        yield { node: last, message, remedy: "end it, or write the comment `// falls through`" };
      }
  },
};

function endsIn(statements: readonly AnyNode[], file: { completion: { completes(node: AnyNode): boolean } }): boolean {
  return statements.some((statement) => !file.completion.completes(statement));
}
