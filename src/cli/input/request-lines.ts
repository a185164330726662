import { createReadStream } from "node:fs";
import { CountersignError } from "../../error.js";

/** Maximum length of one request, in UTF-16 code units. */
const MAX_LINE = 2 ** 20;

/** A line of a file of requests; lines count from 1. */
export interface RequestLine {
  readonly line: number;
  readonly text: string;
}

/**
 * The lines of a file that are not empty, or of standard input for `-`, one after the other: the memory that it takes
 * does not grow with their number. Throws FILE_UNREADABLE, and FILE_TOO_LARGE for a line that is too long.
 */
export async function* requestLines(file: string): AsyncGenerator<RequestLine> {
  const stream = file === "-" ? process.stdin.setEncoding("utf8") : createReadStream(file, "utf8");
  let [rest, line] = ["", 0];
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() as string;
      for (const text of lines) {
        line += 1;
        if (text.trim() !== "") yield { line, text: bounded(text, file, line) };
      }
      bounded(rest, file, line + 1);
    }
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause) || cause instanceof CountersignError) throw cause;
    const remedy = "name a file of requests, one JSON object in each line, or `-`";
    throw new CountersignError("FILE_UNREADABLE", `cannot be read: ${cause.code}`, { place: file, remedy, cause });
  }
  if (rest.trim() !== "") yield { line: line + 1, text: rest };
}

function bounded(text: string, file: string, line: number): string {
  if (text.length <= MAX_LINE) return text;
  throw new CountersignError("FILE_TOO_LARGE", `a request has more than ${MAX_LINE} characters`, {
    place: `${file}:${line}`,
    remedy: "write one request, as one line of JSON, in each line",
  });
}
