import type { AnyNode } from "acorn";
import type { FunctionNode } from "../../../policy/syntax/nodes.js";
import type { PolicyFile } from "../model/policy-file.js";
import type { Complaint, Rule } from "../model/rule.js";
import { isNumber, type ValueKind } from "../model/values.js";

/** Each value that a hook in this file returns, with the node to report. */
function* returnedValues(file: PolicyFile): Iterable<{ readonly value: AnyNode | null; readonly node: AnyNode }> {
  for (const hook of file.hooks.keys()) {
    if (hook.generator) continue;
    if (hook.body.type !== "BlockStatement") yield { value: hook.body, node: hook.body };
    for (const node of file.unit.source.tree.returns.get(hook) ?? []) yield { value: node.argument ?? null, node };
  }
}

const WORDS: Readonly<Partial<Record<ValueKind, string>>> = {
  string: "text",
  boolean: "a boolean",
  null: "null",
  undefined: "undefined",
  object: "an object",
  function: "a function, which is not called,",
  fraction: "a number that is no integer",
  bigint: "a BigInt",
};

/** The kinds of a value that a hook must not return, if they are certain. */
function wrongKinds(file: PolicyFile, value: AnyNode | null): { readonly kinds: ValueKind[]; readonly all: boolean } {
  const of: ReadonlySet<ValueKind> = value === null ? new Set(["undefined"]) : file.values.of(value);
  const kinds = [...of].filter((kind) => !isNumber(kind) && kind !== "unknown");
  if (of.has("fraction")) kinds.push("fraction");
  return { kinds, all: kinds.length === of.size };
}

const REMEDY = "return 0 to allow, or `deny(…)` or a negative errno to deny";

export const RETURN_NOT_INTEGER: Rule = {
  code: "LINT_RETURN_NOT_INTEGER",
  severity: "error",
  summary: "a `return` of a hook whose value is never an integer, or not in one of its cases",
  consequence: "Anything but an integer is a fault, and the operation is denied.",
  *check(file) {
    for (const { value, node } of returnedValues(file)) {
      const { kinds, all } = wrongKinds(file, value);
      if (kinds.length === 0) continue;
      const words = [...new Set(kinds.map((kind) => WORDS[kind]))].join(" or ");
      const when = all ? `returns ${words}` : `returns ${words} in some cases`;
      yield { node, message: `${when}, and a verdict is an integer: that is a fault, which denies`, remedy: REMEDY };
    }
  },
};

export const RETURN_POSITIVE: Rule = {
  code: "LINT_RETURN_POSITIVE",
  severity: "error",
  summary: "a `return` of a hook whose value is a positive number",
  consequence: "A verdict is 0 or negative. A positive number is a fault, and the operation is denied.",
  fixes: true,
  *check(file) {
    for (const { value, node } of returnedValues(file)) {
      if (value === null || !isPositive(file, value)) continue;
      const complaint: Complaint = {
        node,
        message:
          `${file.quote(value)} is positive, and a verdict is 0 or a negative errno: ` +
          "that is a fault, which denies",
        remedy:
          value.type === "UnaryExpression" ? "return the verdict without the `-`" : `return \`-${file.text(value)}\``,
      };
      const isName = value.type === "Identifier" || value.type === "Literal";
      yield isName ? { ...complaint, fix: [{ start: value.start, end: value.start, text: "-" }] } : complaint;
    }
  },
};

function isPositive(file: PolicyFile, value: AnyNode): boolean {
  const kinds = file.values.of(value);
  return kinds.size > 0 && [...kinds].every((kind) => kind === "positive" || kind === "magnitude");
}

export const MISSING_RETURN: Rule = {
  code: "LINT_MISSING_RETURN",
  severity: "error",
  summary: "a hook whose end can be reached without a `return`",
  consequence: "The hook then returns undefined, which is a fault, and the operation is denied.",
  *check(file) {
    for (const hook of file.hooks.keys()) {
      if (hook.generator || !file.completion.reachesEnd(hook)) continue;
      const node = { start: hook.body.end - 1 };
      const message = `the end of ${nameOf(hook)} can be reached without a \`return\`: that is a fault, which denies`;
      yield { node, message, remedy: "end the function with the verdict of the remaining cases, such as `return 0`" };
    }
  },
};

function nameOf(hook: FunctionNode): string {
  return "id" in hook && hook.id ? `\`${hook.id.name}\`` : "the hook";
}
