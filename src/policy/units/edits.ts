interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Order of edits at one offset: closing text, then opening text, then a replacement. */
  readonly rank: number;
  /** Whether a place in the inserted text maps to what follows it instead of what precedes it. */
  readonly isForNext?: true;
}

/** Text around a node. */
export interface Wrap {
  readonly start: number;
  readonly end: number;
  readonly open: string;
  readonly close: string;
  /** Whether a place in `open` maps to the node; see {@link Edits.openFor}. */
  readonly isForNode?: true;
}

/** Above the number of edits in any text. */
const OPENS = 2 ** 24;
const REPLACES = 2 ** 25;

/**
 * A text with insertions and replacements. If the edits of inner nodes are added before those of outer nodes, the
 * inserted text is nested like the nodes.
 */
export class Edits {
  readonly #edits: Edit[] = [];
  #sorted = true;
  #edited: string | null = null;

  constructor(readonly text: string) {}

  /** Inserts text before the node at an offset, and before text that was inserted there earlier. */
  open(at: number, text: string): void {
    this.#add(at, at, text, OPENS - this.#edits.length);
  }

  /** Like {@link open}, but a place in the inserted text maps to the node at the offset. */
  openFor(at: number, text: string): void {
    this.#edits.push({ start: at, end: at, text, rank: OPENS - this.#edits.length, isForNext: true });
    this.#sorted = false;
  }

  /** Inserts text after the node that ends at an offset, and after text that was inserted there earlier. */
  close(at: number, text: string): void {
    this.#add(at, at, text, this.#edits.length);
  }

  /** Puts texts around nodes, those of inner nodes within those of outer ones. */
  wrapAll(wraps: readonly Wrap[]): void {
    const innerFirst = [...wraps].sort((left, right) => left.end - right.end || right.start - left.start);
    for (const { start, end, open, close, isForNode } of innerFirst) {
      if (isForNode) this.openFor(start, open);
      else this.open(start, open);
      this.close(end, close);
    }
  }

  replace(start: number, end: number, text: string): void {
    if (end > start) this.#add(start, end, text, REPLACES);
  }

  toString(): string {
    this.#edited ??= this.#apply();
    return this.#edited;
  }

  #apply(): string {
    let edited = "";
    let at = 0;
    for (const { start, end, text } of this.#inOrder()) {
      if (start < at) throw new RangeError("two edits overlap");
      edited += this.text.slice(at, start) + text;
      at = end;
    }
    return edited + this.text.slice(at);
  }

  /**
   * The offset in the original text of a place in the edited text; line and column count from 0. A place in inserted
   * text maps to the original text before it, or after it for {@link openFor}. Null if the line has no original text.
   */
  origin(line: number, column: number): number | null {
    const edited = this.toString();
    let first = 0;
    for (let count = 0; count < line; count++) first = edited.indexOf("\n", first) + 1;
    const target = first + column;
    let found: number | null = null;
    let at = 0;
    let position = 0;
    const last: Omit<Edit, "rank"> = { start: this.text.length, end: 0, text: "" };
    for (const { start, end, text, isForNext } of [...this.#inOrder(), last]) {
      const reached = Math.min(target, position + start - at - 1);
      if (reached >= Math.max(first, position)) found = at + reached - position;
      position += start - at;
      if (end > start && position >= first && position <= target) found = start;
      if (isForNext && position <= target && target < position + text.length) found = start;
      position += text.length;
      at = end;
    }
    return found;
  }

  #add(start: number, end: number, text: string, rank: number): void {
    this.#edits.push({ start, end, text, rank });
    this.#sorted = false;
    this.#edited = null;
  }

  #inOrder(): readonly Edit[] {
    if (!this.#sorted) this.#edits.sort((left, right) => left.start - right.start || left.rank - right.rank);
    this.#sorted = true;
    return this.#edits;
  }
}
