import { nulStrings } from "../../input.js";
import type { FilterKind } from "../filter.js";

/** What the launcher is told first: the filter that it puts on itself. */
export const FILTER_BYTES: Readonly<Record<FilterKind, number>> = { full: 0, fast: 1 };

/** What the launcher is to execute: words and environment as execve takes them, without their NULs. */
export interface ExecRequest {
  readonly words: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
}

/**
 * Encodes the request for the launcher: `go`, the number of words and the length of what follows in decimal, a line
 * feed; then the words and the environment, each with a NUL at its end.
 */
export function encodeExecRequest({ words, environment }: ExecRequest): Uint8Array {
  const strings = Buffer.concat([...words, ...environment].flatMap((each) => [each, NUL]));
  return Buffer.concat([Buffer.from(`go ${words.length} ${strings.length}\n`), strings]);
}

/** Null if the request is not complete: the gate ended while it wrote it. */
export function decodeExecRequest(message: Uint8Array): ExecRequest | null {
  const bytes = Buffer.from(message);
  const start = bytes.indexOf("\n") + 1;
  const [, count, length] = /^go (\d+) (\d+)\n$/.exec(bytes.toString("latin1", 0, start)) ?? [];
  if (count === undefined || bytes.length - start !== Number(length)) return null;
  const strings = nulStrings(bytes.subarray(start));
  return { words: strings.slice(0, Number(count)), environment: strings.slice(Number(count)) };
}

const NUL = Uint8Array.of(0);
