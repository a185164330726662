/**
 * Finds a duplicate key, since JSON.parse keeps the last one without an error. `text` must be valid JSON: only strings
 * and brackets are read. `key` is as it is written, `offset` in UTF-16 units.
 */
export function duplicateKey(text: string): { key: string; offset: number } | null {
  const open: (Set<string> | null)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(?=\s*(:)?)|[{}[\]]/g;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [written, colon] = match;
    if (written === "{") open.push(new Set());
    else if (written === "[") open.push(null);
    else if (written === "}" || written === "]") open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(written) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return { key: written, offset: match.index };
      keys?.add(key);
    }
  }
  return null;
}
