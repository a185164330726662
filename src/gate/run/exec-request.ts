import { nulStrings } from "../../input.js";
import type { FilterKind } from "../call/filter.js";

/** The first message to the launcher, one byte: the filter to install. */
export const FILTER_BYTES: Readonly<Record<FilterKind, number>> = { full: 0, fast: 1 };

/** What the launcher executes: argv and envp of execve(2), without the terminating NULs. */
export interface ExecRequest {
  readonly words: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
}

/**
 * Encodes the request: `go`, the number of words and the byte length of the rest in decimal, and a line feed; then the
 * words and the environment, each with a terminating NUL.
 */
export function encodeExecRequest({ words, environment }: ExecRequest): Uint8Array {
  const strings = Buffer.concat([...words, ...environment].flatMap((each) => [each, NUL]));
  return Buffer.concat([Buffer.from(`go ${words.length} ${strings.length}\n`), strings]);
}

/** Decodes a request. Returns null if it is incomplete, because the gate ended while it wrote it. */
export function decodeExecRequest(message: Uint8Array): ExecRequest | null {
  const bytes = Buffer.from(message);
  const start = bytes.indexOf("\n") + 1;
  const [, count, length] = /^go (\d+) (\d+)\n$/.exec(bytes.toString("latin1", 0, start)) ?? [];
  if (count === undefined || bytes.length - start !== Number(length)) return null;
  const strings = nulStrings(bytes.subarray(start));
  return { words: strings.slice(0, Number(count)), environment: strings.slice(Number(count)) };
}

const NUL = Uint8Array.of(0);
