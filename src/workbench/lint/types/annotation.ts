import { SUBJECTS } from "../../../policy/model/facts.gen.js";
import type { Position } from "../../../policy/syntax/place.js";
import type { Source } from "../../../policy/syntax/source.js";
import type { Unit } from "../../../policy/units/units.js";

/** The text of a file with a type for each hook, and where a place in it was before. */
export interface Annotated {
  readonly text: string;
  original(place: Position): Position;
}

/** A comment that stands on the line of a hook. Columns count from 1. */
interface Inserted {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/**
 * Puts `@type` on the line of each hook that a JavaScript file exports; lines stay the same. TypeScript ignores such
 * comments in its own files, so there a check of each hook follows the last line. `isPolicy` is false for a file that a
 * policy imports, whose exports need not be hooks.
 */
export function annotated(unit: Unit, isPolicy: boolean): Annotated {
  const text = unit.source.written;
  if (!isPolicy) return { text, original: (place) => place };
  return unit.source.file.endsWith(".ts") ? withChecks(unit, text) : withComments(unit, text);
}

/** `import("countersign").BpfProgLoad` for `bpf_prog_load`; see scripts/declarations.mjs. */
function typeOf(hook: string): string {
  const name = hook.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const isSubject = (Object.values(SUBJECTS) as readonly string[]).includes(name);
  return `import("countersign").${name}${isSubject ? "Hook" : ""}`;
}

function withComments({ source, exports }: Unit, text: string): Annotated {
  const inserted: Inserted[] = [];
  for (const [name, { node }] of exports) {
    // `export { f as bpf_prog_load }` has no declaration that a type could stand before.
    if (!Object.hasOwn(SUBJECTS, name) || node.type !== "ExportNamedDeclaration" || !node.declaration) continue;
    const { declaration } = node;
    if (declaration.type === "VariableDeclaration" && declaration.declarations.length > 1) continue;
    if (hasOwnTypes(source, node.start)) continue;
    const comment = `/** @type {${typeOf(name)}} */ `;
    inserted.push({ offset: node.start, ...source.lines.positionAt(node.start), length: comment.length });
    text = text.slice(0, node.start + added(inserted)) + comment + text.slice(node.start + added(inserted));
  }
  return {
    text,
    original({ line, column }) {
      const shift = inserted.find((one) => one.line === line);
      if (shift === undefined || column < shift.column) return { line, column };
      return { line, column: Math.max(shift.column, column - shift.length) };
    },
  };
}

/** The number of characters that were inserted before the last of these. */
function added(inserted: readonly Inserted[]): number {
  const last = inserted.at(-1)!;
  return inserted.reduce((sum, { offset, length }) => (offset < last.offset ? sum + length : sum), 0);
}

/** Whether the author has written types in the comment before a statement. */
function hasOwnTypes({ text }: Source, start: number): boolean {
  const comment = /\/\*\*(?:[^*]|\*(?!\/))*\*\/\s*$/.exec(text.slice(Math.max(0, start - 4096), start))?.[0] ?? "";
  return /@(?:type|param|returns?|satisfies)\b/.test(comment);
}

function withChecks({ source, exports }: Unit, text: string): Annotated {
  const lines = text.split("\n").length;
  const places: Position[] = [];
  for (const [name, { node, local, from }] of exports) {
    if (!Object.hasOwn(SUBJECTS, name) || from !== null || local === null || local.includes("*")) continue;
    text += `\nvoid (${local} satisfies ${typeOf(name)});`;
    places.push(source.lines.positionAt(node.start));
  }
  return { text, original: ({ line, column }) => places[line - lines - 1] ?? { line, column } };
}
