import type { AnyNode, Node, Options, Program, Token } from "acorn";
import { CountersignError } from "../../error.js";
import { eraseTypes, notErasable } from "./erase-types.js";
import { LineTable } from "./line-table.js";
import type { LinkTime } from "./link-time.js";
import { parse } from "./parser.js";
import { parserMessage } from "./parser-message.js";
import { placeOf } from "./place.js";
import { Tree } from "./tree.js";

/** One parsed file of a policy: its text as JavaScript, and its syntax tree. */
export class Source {
  #tree: Tree | undefined;
  #tokens: readonly Token[] | undefined;
  #lines: LineTable | undefined;

  /**
   * `text` is JavaScript with LF line ends. TypeScript's types are replaced by spaces, so that places stay the same.
   */
  constructor(
    readonly file: string,
    readonly text: string,
    readonly program: Program,
    /** The text as it was written, with LF line ends: it has the types of TypeScript. */
    readonly written: string = text,
  ) {}

  get tree(): Tree {
    this.#tree ??= this.walked((program) => new Tree(program));
    return this.#tree;
  }

  /**
   * Returns the result of a walk of the tree. Throws POLICY_SYNTAX if the walk exceeds the stack: a chain such as
   * `a.b.b.b` is deeply nested for a walk, but not for acorn.
   */
  walked<T>(walk: (program: Program) => T): T {
    try {
      return walk(this.program);
    } catch (error) {
      throw error instanceof RangeError ? syntaxError(this.file, new SyntaxError("Nested too deeply")) : error;
    }
  }

  /** All nodes of the tree. */
  get nodes(): readonly AnyNode[] {
    return this.tree.nodes;
  }

  /** The tokens, made on demand by parsing the text again: few files need them. */
  tokens(): readonly Token[] {
    this.#tokens ??= tokensOf(this.text);
    return this.#tokens;
  }

  get lines(): LineTable {
    this.#lines ??= new LineTable(this.text);
    return this.#lines;
  }
}

/**
 * Reads one file of a policy. Rejects text that acorn and QuickJS are known to parse differently; all other text must
 * be accepted by both. Throws POLICY_SYNTAX, POLICY_FORBIDDEN.
 */
export function readSource(file: string, raw: string, time: LinkTime): Source {
  const written = PRINTABLE.test(raw) ? raw : readable(file, raw);
  const text = file.endsWith(".ts") ? eraseTypes(file, written, time) : written;
  return time.linear(() => {
    const source = new Source(file, text, parsed(file, text), written);
    rejectSpelling(source);
    if (text !== written) rejectJoining(source, written);
    return source;
  });
}

function parsed(file: string, text: string): Program {
  try {
    return parse(text, OPTIONS);
  } catch (error) {
    throw (file.endsWith(".ts") ? notErasable(file, text, error) : null) ?? syntaxError(file, error);
  }
}

const OPTIONS: Options = { ecmaVersion: 2023, sourceType: "module", allowHashBang: false };

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  parse(text, { ...OPTIONS, onToken: tokens });
  return tokens;
}

/** The place of a node in its file. */
export function placeIn(source: Source, node: Pick<Node, "start">): string {
  return placeOf(source.file, source.lines.positionAt(node.start));
}

function syntaxError(file: string, error: unknown): CountersignError {
  const { message, loc } = error as { message: string; loc?: { line: number; column: number } };
  const place = loc === undefined ? file : placeOf(file, { line: loc.line, column: loc.column + 1 });
  return new CountersignError("POLICY_SYNTAX", `is not JavaScript: ${parserMessage(message)}`, {
    place,
    remedy: "correct the syntax at this place",
    cause: error,
  });
}

/** Characters that are rejected everywhere: control and format characters, and others that are invisible. */
const REJECTED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u2800\p{Cf}\p{Default_Ignorable_Code_Point}\p{Surrogate}]/u;

/** Matches most files, in which nothing can be rejected. */
const PRINTABLE = /^[\n\t\x20-\x7e]*$/;

/** The text with LF line ends. JavaScript itself normalizes line ends in templates, so only offsets change. */
function readable(file: string, raw: string): string {
  const text = raw.replace(/\r\n?/g, "\n");
  const found = REJECTED.exec(text);
  if (found === null) return text;
  const code = found[0].codePointAt(0) ?? 0;
  throw new CountersignError(
    "POLICY_FORBIDDEN",
    `has the character U+${code.toString(16).toUpperCase().padStart(4, "0")}, which a reader cannot see or readers ` +
      "disagree on",
    {
      place: placeOf(file, new LineTable(text).positionAt(found.index)),
      remedy: "remove it; in a string, write it as an escape",
    },
  );
}

/**
 * If a file has none of these, {@link rejectSpelling} has nothing to reject: an escape, `<!--`, `-->`, a non-ASCII
 * character.
 */
const SUSPECT = /\\|<!--|-->|[^\n\t\x20-\x7e]/;
const ASCII_NAME = /^[#$\w]*$/;
/** The name of a group in a regular expression, which becomes a property name. */
const GROUP_NAME = /(?:\(\?|\\k)<(?![=!])([^>]*)/g;

/**
 * Rejects escapes and non-ASCII characters in names, and HTML-like comments, which readers and parsers can read
 * differently.
 */
function rejectSpelling(source: Source): void {
  const { text } = source;
  if (!SUSPECT.test(text)) return;
  const tokens = source.tokens();
  let end = 0;
  for (const token of tokens) {
    for (const name of namesIn(token, text)) {
      if (name.includes("\\")) throw forbidden(source, token, "has an escape in a name", "write the character itself");
      if (!ASCII_NAME.test(name))
        throw forbidden(
          source,
          token,
          `has the name \`${name}\`, which has a character that is not ASCII`,
          "use the letters a to z, and quote the name of a property",
        );
    }
    // A script reads `<!--` and `-->` as comments (ECMA-262, Annex B.1.1), a module as operators.
    if (token.start === end && end > 0 && /^(<!--|-->)/.test(around(text, token.start)))
      throw forbidden(
        source,
        token,
        "has what a script reads as a comment and a module as operators",
        "put spaces between",
      );
    end = token.end;
  }
  // Non-ASCII white space between tokens. Comments may contain any letter.
  const plain = /[^\S\n\t ]/u;
  end = 0;
  for (const token of tokens) {
    const gap = text.slice(end, token.start);
    if (plain.test(gap.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, "")))
      throw forbidden(source, { start: end }, "has white space that is not a space, tab or line end", "use a space");
    end = token.end;
  }
}

function namesIn({ type, start, end }: Token, text: string): readonly string[] {
  if (type.label === "name" || type.label === "privateId" || type.keyword !== undefined)
    return [text.slice(start, end)];
  if (type.label !== "regexp") return [];
  return Array.from(text.slice(start, end).matchAll(GROUP_NAME), ([, name]) => name!);
}

/** Tokens that can begin a statement or continue the expression of the line before. */
const JOINING = new Set(["(", "[", "`", "+/-", "/"]);

/**
 * In TypeScript, a type or declaration can end a statement: `f as X` and `(0)` on the next line are two statements, but
 * one call after the type is erased. Rejects a line that begins with one of {@link JOINING} after an erased type.
 */
function rejectJoining(source: Source, written: string): void {
  const { text } = source;
  const tokens = source.tokens();
  for (let index = 1; index < tokens.length; index++) {
    const [last, token] = [tokens[index - 1]!, tokens[index]!];
    // A semicolon of the file ends the statement; one that the stripper inserted does not count.
    if (!JOINING.has(token.type.label) || (last.type.label === ";" && written[last.start] === ";")) continue;
    if (!text.slice(last.end, token.start).includes("\n")) continue;
    // An erased `!` (non-null assertion) ends no statement.
    const [before, after] = [written, text].map((all) => all.slice(last.start, token.end).replaceAll("!", " "));
    if (before === after) continue;
    throw forbidden(
      source,
      token,
      `begins a line with \`${text[token.start]}\` after a type, so it can be parsed in two ways`,
      "end the statement before it with a semicolon",
    );
  }
}

/** `<!--` or `-->` if a token boundary lies within it. */
function around(text: string, at: number): string {
  if (text.startsWith("<!--", at - 1)) return "<!--";
  return text.startsWith("-->", at - 2) ? "-->" : "";
}

/** A POLICY_FORBIDDEN error at a node. */
export function forbidden(
  source: Source,
  node: Pick<Node, "start">,
  message: string,
  remedy: string,
): CountersignError {
  return new CountersignError("POLICY_FORBIDDEN", message, { place: placeIn(source, node), remedy });
}
