import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { CountersignError } from "../../../error.js";
import type { FileResult } from "../../../seal/file-judgement.js";
import type { FileKind } from "../../../seal/files.js";
import { nothingFound } from "../../files/nothing-found.js";
import { printError, styled } from "../../output/output.js";
import { progress } from "../../output/progress.js";

/** A kernel module or an executable, as policies decide about it. */
export interface JudgedFile extends FileResult {
  readonly file: string;
  readonly kind: FileKind;
  /** Those that the guard compares, in lower-case hex; empty unless it is listed. */
  readonly digests: readonly string[];
}

const STYLES = { listed: "green", denied: "red", ticket: "yellow", never: "yellow" } as const;

export const FILE_HEAD = ["file", "kind", "result", "why"] as const;

export function fileCells({ file, kind, result, reason }: JudgedFile): readonly string[] {
  return [file, kind.slice(0, -1), styled(STYLES[result], result), reason ?? ""];
}

export function fileJson({ file, kind, result, reason, digests }: JudgedFile): object {
  return { file, kind: kind.slice(0, -1), result, reason, digests };
}

/** `3 modules listed, 1 module not`. */
export function summaryOfFiles(rows: readonly JudgedFile[], kind: FileKind): string {
  const own = rows.filter((row) => row.kind === kind);
  const listed = own.filter(({ result }) => result === "listed").length;
  return `${listed} of ${own.length} ${kind} listed`;
}

/** Judges files one after another. Errors of a file are printed, and the file is added to `failed`. */
export async function judgeEach(
  files: readonly string[],
  judge: (file: string) => Promise<JudgedFile>,
  failed: Set<string>,
): Promise<readonly JudgedFile[]> {
  const bar = await progress(files.length);
  const rows: JudgedFile[] = [];
  for (const file of files) {
    bar.step(file);
    try {
      rows.push(await judge(file));
    } catch (error) {
      if (!(error instanceof CountersignError) || error.place?.startsWith(file) !== true) throw error;
      printError(error);
      failed.add(file);
    }
  }
  bar.stop();
  return rows;
}

/**
 * The files that are named, and those below folders that are named whose names match, sorted. Symbolic links in folders
 * are not followed. Throws FILE_UNREADABLE, and NOTHING_FOUND for a folder without such files.
 */
export function filesIn(
  paths: readonly string[],
  matching: RegExp,
  what: "kernel module" | "executable",
): readonly string[] {
  return paths.flatMap((path) => {
    const below = filesBelow(path, matching);
    if (below?.length === 0) throw nothingFound(path, what);
    return below ?? [path];
  });
}

/** Null for a path that is not a folder. */
function filesBelow(path: string, matching: RegExp): readonly string[] | null {
  try {
    if (!statSync(path).isDirectory()) return null;
    const entries = readdirSync(path, { recursive: true, withFileTypes: true });
    const found = entries.filter((entry) => entry.isFile() && matching.test(entry.name));
    return found.map((entry) => join(entry.parentPath, entry.name)).sort();
  } catch (cause) {
    throw new CountersignError("FILE_UNREADABLE", `cannot be read: ${(cause as NodeJS.ErrnoException).code}`, {
      place: path,
      remedy: "check the path and its permissions",
      cause,
    });
  }
}
