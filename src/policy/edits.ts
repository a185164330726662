interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Among edits at one offset: what closes before what opens, and that before what is replaced. */
  readonly rank: number;
  /** Whether its place is that of what stands behind it. */
  readonly isForNext?: true;
}

/** Above any number of edits that a text can have. */
const OPENS = 2 ** 24;
const REPLACES = 2 ** 25;

/**
 * A text, and what is to be put into it. Who walks a tree from the inside out gets what he puts in nested as the tree
 * is.
 */
export class Edits {
  readonly #edits: Edit[] = [];
  #sorted = true;
  #edited: string | null = null;

  constructor(readonly text: string) {}

  /** Puts something before what begins at an offset, and before whatever was put there. */
  open(at: number, text: string): void {
    this.#add(at, at, text, OPENS - this.#edits.length);
  }

  /** Like {@link open}; a place in what is put in is that of what begins at the offset. */
  openFor(at: number, text: string): void {
    this.#edits.push({ start: at, end: at, text, rank: OPENS - this.#edits.length, isForNext: true });
    this.#sorted = false;
  }

  /** Puts something behind what ends at an offset, and behind whatever was put there. */
  close(at: number, text: string): void {
    this.#add(at, at, text, this.#edits.length);
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
   * The offset in the text of a place in the edited one, line and column from 0: of what was put in, that of what
   * stands before it, or behind it where it was put in so; null where nothing on its line was there before.
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
