import { nearest } from "../../../nearest.js";
import { GUEST_MODULE, GUEST_NAMES } from "../../../policy/model/guest.js";
import { PERMITS } from "../../../sandbox/permits.js";
import type { TextEdit } from "../model/finding.js";
import type { PolicyFile } from "../model/policy-file.js";
import type { Rule } from "../model/rule.js";

const GLOBALS: ReadonlySet<string> = new Set([...PERMITS.globalThis!.split(" "), "globalThis", "arguments"]);

export const UNKNOWN_GLOBAL: Rule = {
  code: "LINT_UNKNOWN_GLOBAL",
  severity: "error",
  summary: "a name that is neither declared nor imported, nor in the sandbox: `console`, `deny` without its import",
  consequence: "Where it is used the policy has a fault, and the operation is denied.",
  fixes: true,
  *check(file) {
    const reported = new Set<string>();
    for (const node of file.nodes("Identifier")) {
      const { name } = node;
      if (GLOBALS.has(name) || reported.has(name) || file.unit.variables.meant(node) !== undefined) continue;
      const parent = file.parent(node);
      if (parent?.type === "UnaryExpression" && parent.operator === "typeof") continue;
      reported.add(name);
      const isGuest = GUEST_NAMES.includes(name);
      const known = [...file.unit.source.tree.variables.map((one) => one.name), ...GUEST_NAMES];
      const close = isGuest ? null : nearest(name, known);
      const meant = close === null ? "" : ` (did you mean \`${close}\`?)`;
      const message = `\`${name}\` is not declared here, and the sandbox does not have it${meant}: its use is a fault`;
      // With other helpers a policy could allow what their absence denied.
      const fix = name === "deny" ? importOf(file, name) : null;
      const remedy = isGuest
        ? `import it: \`import { ${name} } from "${GUEST_MODULE}"\``
        : "correct the name, or declare it";
      yield { node, message, remedy, ...(fix === null ? {} : { fix }) };
    }
  },
};

/** Adds a name to the file's import of the virtual module, or an import at the start of the file. */
function importOf(file: PolicyFile, name: string): readonly TextEdit[] | null {
  const imports = file.unit.source.program.body.filter((node) => node.type === "ImportDeclaration");
  for (const { source, specifiers } of imports) {
    const last = specifiers.at(-1);
    if (source.value !== GUEST_MODULE || last?.type !== "ImportSpecifier") continue;
    return [{ start: last.end, end: last.end, text: `, ${name}` }];
  }
  const first = file.unit.source.program.body[0];
  if (first === undefined) return null;
  return [{ start: first.start, end: first.start, text: `import { ${name} } from "${GUEST_MODULE}";\n` }];
}
