import type { LinearTerm, TextPart } from "./atom.js";

/**
 * The name of the value of a key in a map, as a policy would write the look-up: it is another one for another key. Null
 * for a key with parts other than constants, texts and numbers.
 */
export function lookupName(map: string, key: readonly TextPart[]): string | null {
  const words: string[] = [];
  for (const part of key) {
    if (typeof part === "string") words.push(JSON.stringify(part));
    else if ("text" in part) words.push(part.text);
    else if ("number" in part) words.push(`String(${sumName(part.number)})`);
    else return null;
  }
  return `map_lookup(${JSON.stringify(map)},${words.join("+")})`;
}

function sumName({ constant, of }: LinearTerm): string {
  const summands = of.map(([by, name]) => (by === "1" ? name : `${by}*${name}`));
  return [...summands, ...(constant === "0" ? [] : [constant])].join("+");
}
