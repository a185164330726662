import { existsSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { CountersignError, oneLine } from "../../error.js";
import type { Warning } from "../../warning.js";
import type { Finding } from "./model/finding.js";

/** A place in a file. */
type Place = Pick<Finding, "file" | "line" | "column">;

/** A finding for each error in the same input; see {@link ofError}. */
export function ofErrors(error: unknown, folder = "."): readonly Finding[] {
  const others = error instanceof CountersignError ? error.others : [];
  return [error, ...others].map((one) => ofError(one, folder));
}

/**
 * The finding for an error at start. An error of lint itself or of the installation is thrown again. `folder` is the
 * folder that the error's place is relative to.
 */
export function ofError(error: unknown, folder = "."): Finding {
  if (!(error instanceof CountersignError) || error.code === "INTERNAL") throw error;
  const { code, remedy } = error;
  const { inner, ...place } = located(error.place, folder);
  const message = [...inner, error.message].join(": ");
  return { code, severity: "error", message, ...place, remedy: remedy ?? null, fix: null };
}

export function ofWarning({ code, message, place, remedy }: Warning, folder = "."): Finding {
  return { code, severity: "warning", message: oneLine(message), ...placeOf(place, folder), remedy, fix: null };
}

/** A path relative to the working directory, with slashes. */
export function shownPath(path: string): string {
  return (isAbsolute(path) ? relative(process.cwd(), path) : path).split(sep).join("/") || ".";
}

/**
 * The innermost file of a place such as `countersign.yaml:9:5: policies/tc.js:4:11`. A policy's path is relative to the
 * folder of the configuration, the configuration's own as the user gave it.
 */
export function placeOf(place: string | null | undefined, folder: string): Place {
  const { file, line, column } = located(place, folder);
  return { file, line, column };
}

/** The place, and the parts of its text after that file: a file that does not exist, or a part of the file. */
function located(place: string | null | undefined, folder: string): Place & { readonly inner: readonly string[] } {
  const inner: string[] = [];
  for (const part of place?.split(": ").reverse() ?? []) {
    const [, file = part, line, column] = /^(.*?):(\d+):(\d+)$/.exec(part) ?? [];
    const path = [file, join(folder, file)].find((one) => existsSync(one));
    if (path === undefined) {
      inner.unshift(shownPath(part));
      continue;
    }
    const at = line === undefined ? { line: null, column: null } : { line: Number(line), column: Number(column) };
    return { file: shownPath(path), ...at, inner };
  }
  return { file: null, line: null, column: null, inner };
}
