import type { Position } from "../policy/place.js";

/** Where the lines of a text are, for many questions about one text; they end at LF. */
export class Lines {
  /** Offsets at which lines begin. */
  private readonly starts: readonly number[];

  constructor(text: string) {
    const starts = [0];
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.starts = starts;
  }

  position(offset: number): Position {
    let [line, next] = [0, this.starts.length];
    while (next - line > 1) {
      const middle = (line + next) >> 1;
      if (this.starts[middle]! <= offset) line = middle;
      else next = middle;
    }
    return { line: line + 1, column: offset - this.starts[line]! + 1 };
  }
}
