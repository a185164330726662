import { styleText } from "node:util";
import type { CountersignError } from "../../error.js";
import { visibleJson } from "../../visible-text.js";
import { type Warning, warningLine } from "../../warning.js";

type Style = Parameters<typeof styleText>[0];

/** Adds a style to text if the stream is a terminal and NO_COLOR is not set (https://no-color.org). */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  const wanted = stream.isTTY === true && !process.env.NO_COLOR;
  return wanted ? styleText(style, text) : text;
}

/** Writes a value as one line of JSON to stdout: see {@link jsonText}. */
export function printJson(value: unknown): void {
  print(jsonText(value));
}

/** Length of a text that is written at once. */
const CHUNK = 1 << 16;

/** Writes each value as one line of JSON to stdout: many at once. */
export function printJsonLines(values: Iterable<unknown>): void {
  let text = "";
  for (const value of values) {
    text += `${jsonText(value)}\n`;
    if (text.length < CHUNK) continue;
    process.stdout.write(text);
    text = "";
  }
  process.stdout.write(text);
}

/** A value as JSON, with escapes for what a terminal would act on. Callers leave byte arrays out of it. */
export function jsonText(value: unknown): string {
  return visibleJson(JSON.stringify(value));
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes a warning as one line to stderr. */
export function warn(warning: Warning): void {
  process.stderr.write(`${styled("yellow", "countersign: warning:", process.stderr)} ${warningLine(warning)}\n`);
}

/** Writes an error to stderr: one line with place, message and remedy, and one for each other error in its input. */
export function printError(error: CountersignError): void {
  const name = styled("red", "countersign:", process.stderr);
  process.stderr.write(
    error
      .toLines()
      .map((line) => `${name} ${line}\n`)
      .join(""),
  );
}
