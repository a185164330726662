/** Conditions that several rows begin with, under a name above the table. */
export interface SharedCase {
  readonly name: string;
  /** All of them hold. */
  readonly conditions: readonly string[];
}

interface ShortRows {
  readonly cases: readonly SharedCase[];
  readonly rows: readonly (readonly string[])[];
}

/** In characters, with " and " between conditions. */
const MOST = 200;

/** The longest condition of a longer row that has no name of its own: two of them fit into a row. */
const MOST_OF_ONE = 90;

/**
 * Names conditions, and then what rows begin with, until the conditions of no row are longer than 200 characters. A
 * case can itself begin with another one.
 */
export function withSharedCases(rows: readonly (readonly string[])[]): ShortRows {
  const cases: SharedCase[] = [];
  const named = (conditions: readonly string[]) => {
    const known = cases.find((one) => one.conditions.join("\n") === conditions.join("\n"));
    if (known !== undefined) return known.name;
    const name = `case ${letters(cases.length)}`;
    cases.push({ name, conditions });
    return name;
  };
  let short = rows.map((row) => {
    return lengthOf(row) <= MOST ? row : row.map((one) => (one.length <= MOST_OF_ONE ? one : named([one])));
  });
  for (;;) {
    const long = short.find((row) => lengthOf(row) > MOST);
    if (long === undefined) return { cases, rows: short };
    const conditions = long.slice(0, sharedLength(long, short));
    const name = named(conditions);
    short = short.map((row) => (startsWith(row, conditions) ? [name, ...row.slice(conditions.length)] : row));
  }
}

/** How many conditions at the beginning of a row get a name: most that another row has, too, or as many as fit. */
function sharedLength(row: readonly string[], rows: readonly (readonly string[])[]): number {
  const fits = row.findLastIndex((_, index) => lengthOf(row.slice(0, index + 1)) <= MOST) + 1;
  for (let length = fits; length > 2; length--)
    if (rows.some((other) => other !== row && startsWith(other, row.slice(0, length)))) return length;
  return fits;
}

function startsWith(row: readonly string[], beginning: readonly string[]): boolean {
  return beginning.every((one, index) => row[index] === one);
}

function lengthOf(conditions: readonly string[]): number {
  return conditions.join(" and ").length;
}

/** A, B, …, Z, AA, AB, … */
function letters(index: number): string {
  const rest = Math.floor(index / 26);
  return (rest === 0 ? "" : letters(rest - 1)) + String.fromCharCode(65 + (index % 26));
}
