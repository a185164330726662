import { isUtf8 } from "node:buffer";
import canonicalize from "canonicalize";
import { CountersignError } from "../../error.js";
import { beginsAsStatement, STATEMENT_PREFIX } from "../../statement-line.js";
import { sha256 } from "../insn/digest.js";
import { refuseContradictions } from "./consistency.js";
import type { ProgramPart, StatementContent } from "./content.js";
import { CONTENT } from "./form.js";
import { malformed, NEWER, notCanonical } from "./shape.js";

const FIRST_LINE = `${STATEMENT_PREFIX}1\n`;

/** Maximum size of a statement in bytes: a program of the kernel's maximum length takes 11 MB. */
export const MAX_STATEMENT = 16 << 20;

/** A statement as it was signed. */
export interface ProgramStatement {
  readonly content: StatementContent;
  /** SHA-256 of the signed bytes in lower-case hex. */
  readonly sha256: string;
  /** The bytes of the program part. */
  readonly programPart: Uint8Array;
  /** SHA-256 of the program part alone. Computed at the first use: a gate does without. */
  readonly programSha256: string;
}

class ParsedStatement implements ProgramStatement {
  #programSha256: string | undefined;

  constructor(
    readonly content: StatementContent,
    readonly sha256: string,
    readonly programPart: Uint8Array,
  ) {}

  get programSha256(): string {
    this.#programSha256 ??= sha256(this.programPart);
    return this.#programSha256;
  }
}

/** The bytes to sign: a line with the version, then canonical JSON (RFC 8785). */
export function encodeStatement(content: StatementContent): Uint8Array {
  const bytes = Buffer.from(FIRST_LINE + canonical(content));
  if (bytes.length > MAX_STATEMENT)
    throw new CountersignError(
      "ELF_UNSUPPORTED",
      `its statement has ${bytes.length} bytes, more than ${MAX_STATEMENT}`,
      {
        remedy: "split the object, or sign its programs in several statements with --program",
      },
    );
  return bytes;
}

/** SHA-256 of a program part, by which a statement is found for an object. */
export function programPartDigest(part: ProgramPart): string {
  return sha256(Buffer.from(canonical(part)));
}

/**
 * Reads a statement. Throws STATEMENT_UNSUPPORTED for another version, and STATEMENT_MALFORMED for bytes that are not
 * exactly what {@link encodeStatement} writes for their contents.
 */
export function parseStatement(bytes: Uint8Array): ProgramStatement {
  if (bytes.length > MAX_STATEMENT) throw malformed(`${bytes.length} bytes are more than ${MAX_STATEMENT}`, WHOLE);
  if (!beginsAsStatement(bytes)) throw malformed(`does not begin with \`${FIRST_LINE.trim()}\``, "line 1");
  if (latin1(bytes.subarray(0, FIRST_LINE.length)) !== FIRST_LINE) throw otherVersion(bytes);
  const text = utf8(bytes.subarray(FIRST_LINE.length));
  const content = jsonOf(text);
  checkForm(content);
  const stated = content as StatementContent;
  // RFC 8785 is what JSON.stringify writes where the keys of objects are sorted, which CONTENT requires.
  const program = JSON.stringify(stated.program);
  const rest = `,"rules":${JSON.stringify(stated.rules)},"version":1}`;
  const end = BEFORE_PROGRAM.length + program.length;
  const isCanonical =
    text.startsWith(BEFORE_PROGRAM) && text.slice(BEFORE_PROGRAM.length, end) === program && text.slice(end) === rest;
  if (!isCanonical) throw notCanonical("line 2");
  refuseContradictions(stated);
  const start = FIRST_LINE.length + BEFORE_PROGRAM.length;
  const part = bytes.subarray(start, bytes.length - Buffer.byteLength(rest));
  return new ParsedStatement(stated, sha256(bytes), part);
}

const BEFORE_PROGRAM = '{"program":';

/** The place in errors about the whole statement. */
const WHOLE = "statement";

function checkForm(content: unknown): void {
  try {
    CONTENT(content);
  } catch (error) {
    if (error instanceof CountersignError && error.place === "") throw malformed(error.message, WHOLE, error.remedy);
    throw error;
  }
}

function canonical(value: StatementContent | ProgramPart): string {
  return canonicalize(value) as string;
}

function utf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw malformed("is not UTF-8", "line 2");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("is not JSON", "line 2");
  }
}

/** Longest version that is quoted in a message. */
const MAX_VERSION = 20;

function otherVersion(bytes: Uint8Array): CountersignError {
  const version = latin1(bytes.subarray(STATEMENT_PREFIX.length, STATEMENT_PREFIX.length + MAX_VERSION + 1));
  const [line = ""] = version.split("\n", 1);
  if (!/^[1-9][0-9]*$/.test(line) || line === "1" || line.length > MAX_VERSION)
    throw malformed(`does not begin with \`${FIRST_LINE.trim()}\``, "line 1");
  return new CountersignError("STATEMENT_UNSUPPORTED", `has version ${line}, and this countersign knows version 1`, {
    place: "line 1",
    remedy: NEWER,
  });
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
