/**
 * A pattern for paths and names: `*` matches any characters except `/`, `**` any characters, `?` one character except
 * `/`. Everything else matches itself. Matching takes time proportional to pattern length times text length at most, so
 * no text makes it slow.
 */
export class Glob {
  private readonly parts: readonly Part[];

  constructor(readonly pattern: string) {
    this.parts = Array.from(pattern.matchAll(/\*\*|[\s\S]/gu), ([text]) => ({ ...WILD[text], text }));
  }

  /** The fewest characters of a text that matches. */
  get least(): number {
    return this.parts.filter(({ many }) => many !== true).length;
  }

  matches(text: string): boolean {
    // The positions in the pattern that the text read so far can reach.
    let at = this.skip(new Set([0]));
    for (const character of text) {
      const next = new Set<number>();
      for (const position of at) {
        const part = this.parts[position];
        if (part === undefined || !accepts(part, character)) continue;
        next.add(part.many ? position : position + 1);
      }
      if (next.size === 0) return false;
      at = this.skip(next);
    }
    return at.has(this.parts.length);
  }

  /** `*` and `**` match the empty string: a position before one also reaches the position after it. */
  private skip(at: Set<number>): Set<number> {
    for (const position of at) if (this.parts[position]?.many) at.add(position + 1);
    return at;
  }
}

interface Part {
  readonly text: string;
  readonly many?: boolean;
  readonly one?: boolean;
  readonly slash?: boolean;
}

const WILD: Readonly<Record<string, Omit<Part, "text">>> = {
  "*": { many: true },
  "**": { many: true, slash: true },
  "?": { one: true },
};

function accepts(part: Part, character: string): boolean {
  if (part.many || part.one) return part.slash === true || character !== "/";
  return part.text === character;
}
