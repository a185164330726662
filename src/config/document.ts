import { constructFromEvents, parseEvents, SCALAR_STYLE, YAMLException } from "js-yaml";
import { CountersignError, type ErrorCode } from "../error.js";
import { LineTable } from "../policy/line-table.js";
import { readLayout, type Written } from "./layout.js";

/** A way into a document: keys and indexes. */
export type Path = readonly PropertyKey[];

/**
 * One YAML 1.2 document (JSON is one too) that knows where each of its values stands. Strict: keys are unique strings,
 * no tags of its own, no second document, bounded expansion of aliases.
 */
export class Document {
  readonly value: unknown;
  private readonly root: Written;
  private lines: LineTable | undefined;

  /** Throws the given code, with places `file:line:column`. */
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

  /** An error about a value; or about the key itself, where that is what is wrong. */
  error(path: Path, message: string, remedy?: string, what: "key" | "value" = "value"): CountersignError {
    return this.invalid(this.place(path, what), message, remedy);
  }

  /** `file:line:column` of a value or of its key; where there is none, of the nearest thing around it. */
  place(path: Path, what: "key" | "value" = "value", characters = 0): string {
    return this.position(this.offset(path, what) + characters);
  }

  /**
   * Where a string's first character stands in the text behind its place: 1 for a quoted one; null if it is not written
   * on one line as it is.
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

  /** Offset into the text, for sorting. */
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

  /** The text with other spellings of keys and of strings. `to` must need neither quotes nor escapes in YAML. */
  respelled(
    spellings: readonly { readonly path: Path; readonly what: "key" | "value"; readonly to: string }[],
  ): string {
    // an alias stands for the text of its anchor, which is edited once
    const edits = new Map(spellings.map(({ path, what, to }) => [String(this.textOf(path, what)), { path, what, to }]));
    const ordered = Array.from(edits.values(), ({ path, what, to }) => [...this.textOf(path, what), to] as const);
    ordered.sort(([left], [right]) => right - left);
    return ordered.reduce((text, [start, end, to]) => text.slice(0, start) + to + text.slice(end), this.text);
  }

  /** Where the text of a key or string begins and ends, without its quotes, or the indentation of a block. */
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

  /** The error for what the parser throws. */
  private rejection(error: Error): CountersignError {
    if (!(error instanceof YAMLException)) return this.invalid(this.file, spoken(error.message), "write it out flat");
    const place = this.position(error.mark?.position ?? 0);
    return this.invalid(place, spoken(error.reason), TOO_DEEP.test(error.reason) ? "write it out flat" : this.remedy);
  }
}

function within(value: Written, step: PropertyKey): Written | undefined {
  return value.entries === null ? value.items?.[Number(step)] : value.entries.get(String(step))?.value;
}

const TOO_DEEP = /call stack|nesting/i;

/** The parser's words as a message: no capital, no full stop, and its own exhaustion named for what it is. */
function spoken(message: string): string {
  if (TOO_DEEP.test(message)) return "is nested too deeply";
  return (message.charAt(0).toLowerCase() + message.slice(1)).replace(/\.$/, "");
}
