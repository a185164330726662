import type { AnyNode } from "acorn";
import { isFacts } from "../../../policy/model/fact-kinds.js";
import { staticName } from "../../../policy/units/property-names.js";
import type { PolicyFile } from "../model/policy-file.js";
import type { Rule } from "../model/rule.js";

/** Whether an expression is a list: one of the facts, or one that is written out. */
function isList(file: PolicyFile, node: AnyNode): boolean {
  if (file.flow.kindOf(node)?.endsWith("[]") || node.type === "ArrayExpression") return true;
  return node.type === "Identifier" && file.constantValue(node)?.type === "ArrayExpression";
}

export const IN_LIST: Rule = {
  code: "LINT_IN_LIST",
  severity: "error",
  summary: '`in` with a list: `"bpf_printk" in prog.helpers`',
  consequence: "`in` looks for an index, not for an element, so nothing is found.",
  *check(file) {
    for (const node of file.nodes("BinaryExpression")) {
      if (node.operator !== "in" || !isList(file, node.right) || node.left.type === "PrivateIdentifier") continue;
      if (!file.values.isOnly(node.left, "string")) continue;
      if (node.left.type === "Literal" && /^(?:\d+|length)$/.test(String(node.left.value))) continue;
      const message = "`in` looks for an index of the list, not for an element, so nothing is found";
      yield { node, message, remedy: `write \`${file.text(node.right)}.includes(${file.text(node.left)})\`` };
    }
  },
};

export const FOR_IN_LIST: Rule = {
  code: "LINT_FOR_IN_LIST",
  severity: "error",
  summary: "`for … in` over a list: `for (const name in prog.helpers)`",
  consequence: 'The variable is an index as text ("0", "1"), and no element.',
  *check(file) {
    for (const node of file.nodes("ForInStatement")) {
      if (!isList(file, node.right)) continue;
      const message = "`for … in` gives the indexes of the list as text, and not its elements";
      yield { node, message, remedy: "write `for … of`" };
    }
  },
};

const CHANGING: ReadonlySet<string> = new Set("push pop shift unshift splice sort reverse fill copyWithin".split(" "));

/** Methods that return a changed copy instead. */
const COPYING: Readonly<Record<string, string>> = { sort: "toSorted", reverse: "toReversed", splice: "toSpliced" };

export const FACT_CHANGED: Rule = {
  code: "LINT_FACT_CHANGED",
  severity: "error",
  summary: "a fact that is assigned to, or a list of facts that is sorted in place: `prog.helpers.sort()`",
  consequence: "Facts are frozen: the change is a fault, and the operation is denied.",
  *check(file) {
    for (const { callee } of file.nodes("CallExpression")) {
      if (callee.type !== "MemberExpression" || !file.flow.kindOf(callee.object)?.endsWith("[]")) continue;
      const method = staticName(callee.property, callee.computed) ?? "";
      if (!CHANGING.has(method)) continue;
      const message = `\`${method}\` changes a list of facts, which is frozen: that is a fault`;
      const copying = COPYING[method];
      const remedy = copying === undefined ? "copy the list first: `[...list]`" : `write \`${copying}\``;
      yield { node: callee.property, message, remedy };
    }
    for (const node of file.unit.source.tree.assigned) {
      if (node.type !== "MemberExpression") continue;
      const kind = file.flow.kindOf(node.object);
      if (kind === null || !(isFacts(kind) || kind.endsWith("[]") || kind === "record")) continue;
      const message = `${file.quote(node)} is a fact, which is frozen: the assignment is a fault`;
      yield { node, message, remedy: "keep the value in a variable of the policy" };
    }
  },
};
