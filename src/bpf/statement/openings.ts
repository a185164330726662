import { OPENINGS, type ProgramPart, type StatementRules } from "./content.js";

/** Whether text that `--open` takes names a map or program of the statement, and something of it that can be opened. */
export function isOpening(text: string, { object, programs }: ProgramPart): boolean {
  const dot = text.lastIndexOf(".");
  const property = text.slice(dot + 1);
  if (dot <= 0) return false;
  if (!text.startsWith(MAP))
    return (OPENINGS.program as readonly string[]).includes(property) && named(programs, text.slice(0, dot));
  return (OPENINGS.map as readonly string[]).includes(property) && named(object.maps, text.slice(MAP.length, dot));
}

const MAP = "map:";

function named(rows: readonly { readonly name: string }[], name: string): boolean {
  return rows.some((row) => row.name === name);
}

/** Whether the signer opened this property of a map. */
export function opensMap({ open }: StatementRules, map: string, property: (typeof OPENINGS.map)[number]): boolean {
  return open.includes(`${MAP}${map}.${property}`);
}

/** Whether the signer opened this property of a program. */
export function opensProgram(
  { open }: StatementRules,
  program: string,
  property: (typeof OPENINGS.program)[number],
): boolean {
  return open.includes(`${program}.${property}`);
}

/** Everything that `--open` can name in an object. */
export function* openingsOf({ object, programs }: ProgramPart): Generator<string> {
  for (const { name } of object.maps) for (const property of OPENINGS.map) yield `${MAP}${name}.${property}`;
  for (const { name } of programs) for (const property of OPENINGS.program) yield `${name}.${property}`;
}
