import type { AnyNode, Pattern } from "acorn";
import { staticName, testedNames } from "../../../policy/units/property-names.js";
import { isFactAsked } from "../model/asked-facts.js";
import type { PolicyFile } from "../model/policy-file.js";
import type { Complaint, Rule } from "../model/rule.js";
import { type UnknownCases, WHEN_DECIDING, WHEN_SCANNING } from "../model/unknown-cases.js";

export const UNKNOWN_FACT: Rule = {
  code: "LINT_UNKNOWN_FACT",
  severity: "warning",
  summary: "a fact that can be unknown, read where it was not asked whether it is known: `file.path` of a module",
  consequence: "Where the fact is unknown, the read is the fault UNKNOWN_FACT, and the operation is denied.",
  check: (file) => complaints(file, WHEN_DECIDING, "the read is then a fault"),
};

export const UNKNOWN_IN_SCAN: Rule = {
  code: "LINT_UNKNOWN_IN_SCAN",
  severity: "warning",
  summary: "with `--scan`: the same of a fact that a scan does not know: `prog.license`",
  consequence: "`scan --config` then says `not decided` of what is loaded.",
  *check(file) {
    if (file.forScan) yield* complaints(file, WHEN_SCANNING, "it then says `not decided`");
  },
};

function* complaints(file: PolicyFile, cases: UnknownCases, consequence: string): Iterable<Complaint> {
  const tested = testedNames(file.unit.source);
  for (const { node, object, kind, name } of readsOf(file)) {
    const hooks = file.hooksAround(node);
    const found = (cases.get(`${kind}.${name}`) ?? []).filter(({ hooks: at }) => at.some((hook) => hooks.has(hook)));
    if (found.length === 0 || file.isCaught(node)) continue;
    if (tested.has(name) && isFactAsked(file, node, kind, name)) continue;
    const when = found.map(({ when }) => when).join(", and ");
    const scan = cases === WHEN_SCANNING ? " to a scan" : "";
    const subject = object === null ? "the subject" : file.text(object);
    const message = `\`${name}\` is unknown${scan} ${when}, which is not asked here: ${consequence}`;
    yield {
      node,
      message,
      remedy: `ask \`"${name}" in ${subject}\` first, and decide what applies where it is unknown`,
    };
  }
}

interface Read {
  readonly node: AnyNode;
  /** The object, if it has a short name in the text. */
  readonly object: AnyNode | null;
  /** The interface of the object. */
  readonly kind: string;
  readonly name: string;
}

/** Reads of facts. */
function* readsOf(file: PolicyFile): Iterable<Read> {
  for (const node of file.nodes("MemberExpression", "VariableDeclarator")) {
    const isMember = node.type === "MemberExpression";
    const object = isMember ? node.object : node.init;
    const kind = object ? file.flow.kindOf(object) : null;
    if (kind !== null)
      for (const { key, computed } of isMember ? [{ key: node.property, computed: node.computed }] : keysOf(node.id)) {
        const name = staticName(key, computed);
        const shown = object?.type === "Identifier" ? object : null;
        if (name !== null) yield { node: isMember ? node : key, object: shown, kind, name };
      }
  }
  for (const [node, kinds] of file.hooks)
    for (const [index, pattern] of node.params.entries())
      for (const { key, computed } of keysOf(pattern)) {
        const [kind, name] = [kinds[index], staticName(key, computed)];
        if (kind !== undefined && name !== null) yield { node: key, object: null, kind, name };
      }
}

/** The keys that a pattern takes from a value. */
function keysOf(pattern: Pattern): readonly { readonly key: AnyNode; readonly computed: boolean }[] {
  if (pattern.type !== "ObjectPattern") return [];
  return pattern.properties.filter((property) => property.type === "Property");
}
