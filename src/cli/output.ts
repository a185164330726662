import { styleText } from "node:util";
import type { CountersignError } from "../error.js";
import { type Warning, warningLine } from "../warning.js";

type Style = Parameters<typeof styleText>[0];

/** Text in a style, where the stream is a terminal that wants colours (https://no-color.org). */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  const wanted = stream.isTTY === true && !process.env.NO_COLOR;
  return wanted ? styleText(style, text) : text;
}

/** Writes a value as one line of JSON to stdout; bytes are left out of it by their owners. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One line on stderr about what is probably a mistake. */
export function warn(warning: Warning): void {
  process.stderr.write(`${styled("yellow", "countersign: warning:", process.stderr)} ${warningLine(warning)}\n`);
}

/** One line on stderr for a person: what is wrong, where, and what to do. */
export function complain(error: CountersignError): void {
  process.stderr.write(`${styled("red", "countersign:", process.stderr)} ${error.toString()}\n`);
}
