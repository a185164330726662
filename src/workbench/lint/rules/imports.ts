import type { ImportDeclaration } from "acorn";
import type { TextEdit } from "../model/finding.js";
import type { PolicyFile } from "../model/policy-file.js";
import type { Rule } from "../model/rule.js";

export const UNUSED_IMPORT: Rule = {
  code: "LINT_UNUSED_IMPORT",
  severity: "warning",
  summary: "an imported name that nothing uses",
  consequence: "A reader takes the policy for one that verifies or denies.",
  fixes: true,
  *check(file) {
    // Without types, an import of TypeScript can be one of a type.
    if (file.unit.source.file.endsWith(".ts")) return;
    for (const node of file.unit.source.program.body) {
      if (node.type !== "ImportDeclaration" || node.specifiers.length === 0) continue;
      const isUnused = node.specifiers.map(({ local }) => (file.unit.variables.topLevel(local.name)?.reads ?? 1) === 0);
      for (const [index, specifier] of node.specifiers.entries()) {
        if (!isUnused[index]) continue;
        const message = `\`${specifier.local.name}\` is imported and not used`;
        const fix = isUnused.every(Boolean) ? whole(file, node) : without(node, index, isUnused);
        yield {
          node: specifier,
          message,
          remedy: "remove it from the import, or use it",
          ...(fix === null ? {} : { fix }),
        };
      }
    }
  },
};

/** Removes the whole declaration with its line end. All its names have the same edit. */
function whole(file: PolicyFile, { start, end }: ImportDeclaration): readonly TextEdit[] {
  const { text } = file.unit.source;
  return [{ start, end: text[end] === "\n" ? end + 1 : end, text: "" }];
}

/** Removes one name and a comma beside it; null for a form of import in which names are not a plain list. */
function without(
  { specifiers }: ImportDeclaration,
  index: number,
  isUnused: readonly boolean[],
): readonly TextEdit[] | null {
  if (specifiers.some(({ type }) => type !== "ImportSpecifier")) return null;
  const own = specifiers[index]!;
  const kept = isUnused.indexOf(false);
  // Names before the first that stays are removed with the comma after them, others with the comma before them.
  if (index < kept) return [{ start: own.start, end: specifiers[index + 1]!.start, text: "" }];
  return [{ start: specifiers[index - 1]!.end, end: own.end, text: "" }];
}
