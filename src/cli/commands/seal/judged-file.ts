import type { FileResult } from "../../../seal/file-judgement.js";
import type { FileKind } from "../../../seal/files.js";
import { styled } from "../../output/output.js";

/** A kernel module or an executable, as policies decide about it. */
export interface JudgedFile extends FileResult {
  readonly file: string;
  readonly kind: FileKind;
  /** Those that the guard compares, in lower-case hex; empty unless it is listed. */
  readonly digests: readonly string[];
}

const STYLES = { listed: "green", denied: "red", ticket: "yellow" } as const;

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
