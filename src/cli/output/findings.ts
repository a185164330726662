import { oneLine } from "../../error.js";
import type { Finding } from "../../workbench/lint.js";
import { print, styled } from "./output.js";

/** Prints findings, one line each, with colours on a terminal. */
export function printFindings(findings: readonly Finding[]): void {
  for (const { code, severity, message, file, line, column, remedy, fix } of findings) {
    const place = file === null ? "" : `${file}${line === null ? "" : `:${line}:${column ?? 1}`}: `;
    const word = styled(severity === "error" ? "red" : "yellow", `${severity}:`);
    const fixable = fix === null ? "" : styled("dim", " (--fix)");
    const told = remedy === null ? "" : `; ${oneLine(remedy)}`;
    print(
      `${styled("bold", oneLine(place))}${word} ${oneLine(message)} ${styled("cyan", `[${code}]`)}${told}${fixable}`,
    );
  }
}

/** `2 errors and 1 warning`. */
export function countOf(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const words = [plural(errors, "error"), plural(findings.length - errors, "warning")];
  return words.filter((word) => !word.startsWith("0 ")).join(" and ");
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
