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
 * The lines of a file that are not empty, or of standard input for `-`, in groups as they are read: the memory that it
 * takes does not grow with their number. Throws FILE_UNREADABLE, and FILE_TOO_LARGE for a line that is too long.
 */
export async function* requestLines(file: string): AsyncGenerator<readonly RequestLine[]> {
  const stream = file === "-" ? process.stdin.setEncoding("utf8") : createReadStream(file, "utf8");
  let [rest, line] = ["", 0];
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const texts = (rest + chunk).split("\n");
      rest = texts.pop() as string;
      const lines: RequestLine[] = [];
      const tooLong = texts.findIndex((text) => text.length > MAX_LINE);
      for (const text of tooLong < 0 ? texts : texts.slice(0, tooLong)) {
        line += 1;
        if (!BLANK.test(text)) lines.push({ line, text });
      }
      if (lines.length > 0) yield lines;
      if (tooLong >= 0 || rest.length > MAX_LINE) throw overlong(file, line + 1);
    }
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause) || cause instanceof CountersignError) throw cause;
    const remedy = "name a file of requests, one JSON object in each line, or `-`";
    throw new CountersignError("FILE_UNREADABLE", `cannot be read: ${cause.code}`, { place: file, remedy, cause });
  }
  if (!BLANK.test(rest)) yield [{ line: line + 1, text: rest }];
}

const BLANK = /^\s*$/;

function overlong(file: string, line: number): CountersignError {
  return new CountersignError("FILE_TOO_LARGE", `a request has more than ${MAX_LINE} characters`, {
    place: `${file}:${line}`,
    remedy: "write one request, as one line of JSON, in each line",
  });
}
