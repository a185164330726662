import { isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, type Document as YamlDocument } from "yaml";
import { CountersignError, type ErrorCode } from "../error.js";

/** A way into a document: keys and indexes. */
export type Path = readonly PropertyKey[];

/**
 * One YAML 1.2 document (JSON is one too) that knows where each of its values stands. Strict: keys are unique strings, no
 * tags of its own, no second document, bounded expansion of aliases.
 */
export class Document {
  readonly value: unknown;
  private readonly lines = new LineCounter();
  private readonly yaml: YamlDocument;

  /** Throws the given code, with places `file:line:column`. */
  constructor(
    readonly file: string,
    text: string,
    private readonly code: ErrorCode,
    private readonly remedy = "mend it there",
  ) {
    const [yaml, second] = this.guarded(() =>
      parseAllDocuments(text, { lineCounter: this.lines, prettyErrors: false, stringKeys: true }),
    ) as YamlDocument[];
    if (yaml === undefined) throw this.invalid(`${file}:1:1`, "is empty");
    this.yaml = yaml;
    const problem = yaml.errors[0] ?? yaml.warnings[0] ?? second?.errors[0];
    if (problem !== undefined) throw this.invalid(this.position(problem.pos[0]), spoken(problem.message));
    if (second !== undefined)
      throw this.invalid(this.position(second.range?.[0] ?? 0), "a second document begins here");
    this.value = this.guarded(() => yaml.toJS({ maxAliasCount: 100 }));
  }

  /** An error about a value; or about the key itself, where that is what is wrong. */
  error(path: Path, message: string, remedy?: string, what: "key" | "value" = "value"): CountersignError {
    return this.invalid(this.place(path, what), message, remedy);
  }

  /** `file:line:column` of a value or of its key; where there is none, of the nearest thing around it. */
  place(path: Path, what: "key" | "value" = "value", characters = 0): string {
    return this.position(this.offset(path, what) + characters);
  }

  /** Where a string's first character stands in the text behind its place: 1 for a quoted one; null if it is not written on one line as it is. */
  quote(path: Path): number | null {
    const node = this.node(path);
    if (!isScalar(node)) return null;
    if (node.type === "PLAIN") return node.source?.includes("\n") ? null : 0;
    const escaped = typeof node.value !== "string" || /[\\'"\n]/.test(node.value);
    return (node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE") && !escaped ? 1 : null;
  }

  /** Offset into the text, for sorting. */
  offset(path: Path, what: "key" | "value" = "value"): number {
    let node: unknown = this.yaml.contents;
    let offset = rangeOf(node);
    for (const [index, step] of path.entries()) {
      const last = index === path.length - 1;
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => (isScalar(key) ? key.value : key) === step);
        if (pair === undefined) return offset;
        if (last && what === "key") return rangeOf(pair.key, offset);
        node = pair.value;
        offset = rangeOf(node, rangeOf(pair.key, offset));
      } else if (isSeq(node)) {
        node = node.items[Number(step)];
        offset = rangeOf(node, offset);
      } else return offset;
    }
    return offset;
  }

  private node(path: Path): unknown {
    return path.length === 0 ? this.yaml.contents : this.yaml.getIn(path as unknown[], true);
  }

  private position(offset: number): string {
    const { line, col } = this.lines.linePos(offset);
    return `${this.file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  }

  private invalid(place: string, message: string, remedy = this.remedy): CountersignError {
    return new CountersignError(this.code, message, { place, remedy });
  }

  /** The parser's own recursion ends deep nesting; what it throws for that, and for aliases, is input that is not valid. */
  private guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw this.invalid(this.file, spoken((cause as Error).message), "write it out flat");
    }
  }
}

function rangeOf(node: unknown, otherwise = 0): number {
  return (node as Node | null | undefined)?.range?.[0] ?? otherwise;
}

/** The parser's words as a message: no capital, no full stop, and its own exhaustion named for what it is. */
function spoken(message: string): string {
  if (/call stack/i.test(message)) return "is nested too deeply";
  return (message.charAt(0).toLowerCase() + message.slice(1)).replace(/\.$/, "");
}
