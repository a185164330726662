import { constructFromEvents, parseEvents, SCALAR_STYLE, YAMLException } from "js-yaml";
import { CountersignError, type ErrorCode } from "../error.js";
import { LineTable } from "../policy/syntax/line-table.js";
import { readLayout, type Written } from "./layout.js";

/** Path of a value in a document: keys of mappings and indexes of lists. */
export type Path = readonly PropertyKey[];

/**
 * One YAML 1.2 document (also JSON) that knows the place of each value in the text. Strict: keys are unique strings,
 * custom tags and further documents are rejected, and the expansion of aliases is bounded.
 */
export class Document {
  readonly value: unknown;
  private readonly root: Written;
  private lines: LineTable | undefined;

  /** Throws an error with `code` and a place `file:line:column`. */
  constructor(
    readonly file: string,
    private readonly text: string,
    private readonly code: ErrorCode,
    private readonly remedy = "correct it there",
  ) {
    try {
      const events = parseEvents(text, {});
      this.root = readLayout(text, events);
      [this.value] = constructFromEvents(events, { source: text });
    } catch (error) {
      throw this.rejection(error as Error);
    }
  }

  /** An error about a value, or about its key. */
  error(path: Path, message: string, remedy?: string, what: "key" | "value" = "value"): CountersignError {
    return this.invalid(this.place(path, what), message, remedy);
  }

  /** `file:line:column` of a value or of its key; if the document has no such value, of the nearest enclosing value. */
  place(path: Path, what: "key" | "value" = "value", characters = 0): string {
    return this.position(this.offset(path, what) + characters);
  }

  /**
   * The offset of a string's first character from its place: 0, or 1 for a quoted string. Null if the text differs from
   * the string (escapes, several lines).
   */
  quote(path: Path): number | null {
    let value: Written | undefined = this.root;
    for (const step of path) value = value === undefined ? undefined : within(value, step);
    if (!value?.scalar) return null;
    const { style, valueStart, valueEnd } = value.scalar;
    const written = this.text.slice(valueStart, valueEnd);
    if (style === SCALAR_STYLE.PLAIN) return written.includes("\n") ? null : 0;
    const isQuoted = style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;
    return isQuoted && !/[\\'"\n]/.test(written) ? 1 : null;
  }

  /** Offset of a value or of its key in the text, for sorting. */
  offset(path: Path, what: "key" | "value" = "value"): number {
    let value = this.root;
    for (const [index, step] of path.entries()) {
      if (what === "key" && index === path.length - 1) return value.entries?.get(String(step))?.key ?? value.offset;
      const next = within(value, step);
      if (next === undefined) break;
      value = next;
    }
    return value.offset;
  }

  /** The text with keys and strings replaced. `to` must be valid as plain YAML, without quotes or escapes. */
  respelled(
    spellings: readonly { readonly path: Path; readonly what: "key" | "value"; readonly to: string }[],
  ): string {
    // An alias has the text range of its anchor, so both give one edit.
    const edits = new Map(spellings.map(({ path, what, to }) => [String(this.textOf(path, what)), { path, what, to }]));
    const ordered = Array.from(edits.values(), ({ path, what, to }) => [...this.textOf(path, what), to] as const);
    ordered.sort(([left], [right]) => right - left);
    return ordered.reduce((text, [start, end, to]) => text.slice(0, start) + to + text.slice(end), this.text);
  }

  /** Range of the text of a key or string, without quotes and without the indentation of a block. */
  private textOf(path: Path, what: "key" | "value"): readonly [start: number, end: number] {
    let value: Written = this.root;
    for (const step of path.slice(0, -1)) value = within(value, step) ?? value;
    const last = path.at(-1)!;
    if (what === "key") return value.entries?.get(String(last))?.keyText ?? [0, 0];
    const { valueStart = 0, valueEnd = 0 } = within(value, last)?.scalar ?? {};
    const written = this.text.slice(valueStart, valueEnd);
    const start = valueStart + written.length - written.trimStart().length;
    return [start, start + written.trim().length];
  }

  private position(offset: number): string {
    this.lines ??= new LineTable(this.text);
    const { line, column } = this.lines.positionAt(offset);
    return `${this.file}:${line}:${column}`;
  }

  private invalid(place: string, message: string, remedy = this.remedy): CountersignError {
    return new CountersignError(this.code, message, { place, remedy });
  }

  /** Converts an error of the YAML parser. */
  private rejection(error: Error): CountersignError {
    const isYaml = error instanceof YAMLException;
    const place = isYaml ? this.position(error.mark?.position ?? 0) : this.file;
    const isTooDeep = isYaml ? TOO_DEEP.test(error.reason) : error instanceof RangeError;
    if (isTooDeep) return this.invalid(place, "is nested too deeply", "write it out flat");
    return this.invalid(place, spoken(isYaml ? error.reason : error.message));
  }
}

function within(value: Written, step: PropertyKey): Written | undefined {
  return value.entries === null ? value.items?.[Number(step)] : value.entries.get(String(step))?.value;
}

/** The parser's own limit, for which it has no code. V8 throws a RangeError if the stack is full. */
const TOO_DEEP = /^nesting exceeded maxDepth/;

/** Converts the parser's message: no capital, no full stop. */
function spoken(message: string): string {
  return (message.charAt(0).toLowerCase() + message.slice(1)).replace(/\.$/, "");
}
