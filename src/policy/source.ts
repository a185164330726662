import { type AnyNode, type Node, type Options, type Program, parse, type Token } from "acorn";
import { transform } from "sucrase";
import { CountersignError } from "../error.js";
import { nodesOf } from "./nodes.js";
import { placeOf, positionAt } from "./place.js";

/** One file of a policy, read: its text as JavaScript, and its tree. */
export interface Source {
  readonly file: string;
  /** JavaScript with LF line ends; TypeScript's types are erased, lines kept. */
  readonly text: string;
  readonly program: Program;
  /** Of the tree; see nodes.ts. */
  readonly nodes: readonly AnyNode[];
  /** Few files have anything for which these are looked at: only then are they made, by reading the text again. */
  readonly tokens: () => readonly Token[];
}

/** The largest file of a policy, in UTF-16 units: a person reads it before it decides what a kernel runs. */
export const MAX_SOURCE = 256 * 1024;

/**
 * Reads one file of a policy. What acorn and QuickJS are known to read differently is refused here; what they share is
 * settled by both of them having to accept it. Throws POLICY_SYNTAX, POLICY_FORBIDDEN.
 */
export function readSource(file: string, raw: string): Source {
  if (raw.length > MAX_SOURCE) {
    throw new CountersignError(
      "POLICY_FORBIDDEN",
      `is ${raw.length} characters, more than the limit of ${MAX_SOURCE}`,
      {
        place: file,
        remedy: "keep tables in a map of the configuration instead of in the policy",
      },
    );
  }
  const written = PRINTABLE.test(raw) ? raw : readable(file, raw);
  const text = file.endsWith(".ts") ? eraseTypes(file, written) : written;
  try {
    const program = parse(text, OPTIONS);
    const source = { file, text, program, nodes: nodesOf(program), tokens: () => tokensOf(text) };
    refuseSpelling(source);
    if (text !== written) refuseJoining(source, written);
    return source;
  } catch (error) {
    if (error instanceof CountersignError) throw error;
    throw syntaxError(file, error);
  }
}

const OPTIONS: Options = { ecmaVersion: 2023, sourceType: "module", allowHashBang: false };

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  parse(text, { ...OPTIONS, onToken: tokens });
  return tokens;
}

/** The place of a node in its file. */
export function placeIn(source: Pick<Source, "file" | "text">, node: Pick<Node, "start">): string {
  return placeOf(source.file, positionAt(source.text, node.start));
}

function syntaxError(file: string, error: unknown): CountersignError {
  const { message, loc } = error as { message: string; loc?: { line: number; column: number } };
  const place = loc === undefined ? file : placeOf(file, { line: loc.line, column: loc.column + 1 });
  return new CountersignError(
    "POLICY_SYNTAX",
    `is not JavaScript: ${lowerFirst(message.replace(/ \(\d+:\d+\)$/, ""))}`,
    {
      place,
      remedy: "mend the policy there",
      cause: error,
    },
  );
}

function eraseTypes(file: string, text: string): string {
  try {
    return transform(text, { transforms: ["typescript"], disableESTransforms: true }).code;
  } catch (error) {
    const { message, loc } = error as { message: string; loc?: { line: number; column: number } };
    throw new CountersignError(
      "POLICY_SYNTAX",
      `is not TypeScript: ${lowerFirst(message.replace(/ \(\d+:\d+\)$/, ""))}`,
      {
        place: loc === undefined ? file : placeOf(file, loc),
        remedy: "mend the policy there",
        cause: error,
      },
    );
  }
}

/** Characters that have no business in a policy, wherever they stand; a string can escape them. */
const REFUSED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/u;

/** What most files are, and nothing of it is refused. */
const PRINTABLE = /^[\n\t\x20-\x7e]*$/;

/** A text with LF line ends: a template's value has them whatever the file has, so nothing changes but places. */
function readable(file: string, raw: string): string {
  const text = raw.replace(/\r\n?/g, "\n");
  const found = REFUSED.exec(text);
  if (found === null) return text;
  const code = found[0].codePointAt(0) ?? 0;
  throw new CountersignError(
    "POLICY_FORBIDDEN",
    `has the character U+${code.toString(16).toUpperCase().padStart(4, "0")}, which a reader cannot see or readers disagree on`,
    { place: placeOf(file, positionAt(text, found.index)), remedy: "write it as an escape within a string" },
  );
}

/** What can hold any of what is refused below, in a string or a comment if nowhere else: an escape, `<!--`, `-->`, a space. */
const SUSPECT = /\\|<!--|-->|[^\S\n\t ]/u;

/** Words and operators that mean the same to acorn and QuickJS only when spelt plainly. */
function refuseSpelling(source: Source): void {
  const { text } = source;
  if (!SUSPECT.test(text)) return;
  const tokens = source.tokens();
  let end = 0;
  for (const token of tokens) {
    const label = token.type.label;
    if (label === "name" || label === "privateId" || token.type.keyword !== undefined) {
      if (text.slice(token.start, token.end).includes("\\"))
        throw forbidden(source, token, "has an escape in a name", "write the character itself");
    }
    // a script (Annex B.1.1) takes `<!--` and `-->` as comments, a module as operators
    if (token.start === end && end > 0 && /^(<!--|-->)/.test(around(text, token.start)))
      throw forbidden(
        source,
        token,
        "has what a script reads as a comment and a module as operators",
        "put spaces between",
      );
    end = token.end;
  }
  // white space that is not ASCII, between tokens: comments may hold any letter
  const plain = /[^\S\n\t ]/u;
  end = 0;
  for (const token of tokens) {
    const gap = text.slice(end, token.start);
    if (plain.test(gap.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, "")))
      throw forbidden(source, { start: end }, "has white space that is not a space, tab or line end", "use a space");
    end = token.end;
  }
}

/** What can begin a statement, and else goes on with the expression before it. */
const JOINING = new Set(["(", "[", "`", "+/-", "/"]);

/**
 * In TypeScript a type or a whole declaration can end the statement before it (`f as X` and `(0)` below it are two). Erased,
 * it leaves nothing there that would: what begins a line must not be able to go on behind types that are gone.
 */
function refuseJoining(source: Source, written: string): void {
  const { text } = source;
  const tokens = source.tokens();
  const [before, after] = [written.split("\n"), text.split("\n")];
  for (let index = 1; index < tokens.length; index++) {
    const [last, token] = [tokens[index - 1]!, tokens[index]!];
    if (!JOINING.has(token.type.label) || last.type.label === ";") continue;
    if (!text.slice(last.end, token.start).includes("\n")) continue;
    const [from, to] = [positionAt(text, last.start), positionAt(text, token.start)];
    // an erased `!` ends nothing
    const rest = after[from.line - 1]!.slice(from.column - 1).trimEnd();
    const same =
      before[from.line - 1]!.replace(/[!\s]+$/, "").endsWith(rest) &&
      before.slice(from.line, to.line - 1).join("\n") === after.slice(from.line, to.line - 1).join("\n") &&
      before[to.line - 1]!.trimStart().startsWith(text[token.start]!);
    if (same) continue;
    throw forbidden(
      source,
      token,
      `begins a line with \`${text[token.start]}\` behind types, so that it can be read in two ways`,
      "end the statement before it with a semicolon",
    );
  }
}

/** The four characters `<!--`, or three of `-->`, that a token boundary falls into. */
function around(text: string, at: number): string {
  if (text.startsWith("<!--", at - 1)) return "<!--";
  return text.startsWith("-->", at - 2) ? "-->" : "";
}

/** A POLICY_FORBIDDEN error at a node. */
export function forbidden(
  source: Pick<Source, "file" | "text">,
  node: Pick<Node, "start">,
  message: string,
  remedy: string,
): CountersignError {
  return new CountersignError("POLICY_FORBIDDEN", message, { place: placeIn(source, node), remedy });
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}
