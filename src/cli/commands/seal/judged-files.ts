import type { Variant } from "../../../bpf/core/variant.js";
import { readContent } from "../../../engine/files/file-content.js";
import { CountersignError } from "../../../error.js";
import { type JudgedProgram, type JudgeOptions, judgeFile, RESULTS } from "../../../seal/build.js";
import { type ObjectFile, requirePrograms } from "../../files/object-files.js";
import type { TargetKernel } from "../../kernel/target-kernel.js";
import { printError, styled } from "../../output/output.js";
import { progress } from "../../output/progress.js";

/** A program of a file, as it is on one kernel by one loader. */
export interface JudgedRow extends JudgedProgram {
  readonly file: string;
  readonly kernel: string;
  readonly variant: Variant;
}

/**
 * Judges the programs of files for a kernel. Errors of a file are printed, and the file is added to `failed`; files
 * that are there already are left out. Throws NOTHING_FOUND for a folder without BPF objects.
 */
export async function judgeFiles(
  files: readonly ObjectFile[],
  kernel: TargetKernel,
  judge: Pick<JudgeOptions, "config" | "engine" | "anyMaps">,
  variants: readonly Variant[],
  failed: Set<string>,
): Promise<readonly JudgedRow[]> {
  const bar = await progress(files.length);
  const rows: JudgedRow[] = [];
  const found = new Set<ObjectFile>();
  for (const file of files) {
    bar.step(file.path);
    if (failed.has(file.path)) continue;
    try {
      const judged = await rowsOf(file, kernel, judge, variants);
      if (judged.length > 0) found.add(file);
      rows.push(...judged);
    } catch (error) {
      if (!(error instanceof CountersignError) || error.place?.startsWith(file.path) !== true) throw error;
      printError(error);
      failed.add(file.path);
    }
  }
  bar.stop();
  requirePrograms(files, (file) => found.has(file) || failed.has(file.path));
  return rows;
}

async function rowsOf(
  { path, folder }: ObjectFile,
  kernel: TargetKernel,
  judge: Pick<JudgeOptions, "config" | "engine" | "anyMaps">,
  variants: readonly Variant[],
): Promise<readonly JudgedRow[]> {
  const rows: JudgedRow[] = [];
  try {
    const file = readContent(path, "bpf_prog_load");
    for (const variant of variants) {
      const judged = await kernel.use(() => judgeFile(file, { ...judge, kernel: kernel.kernel, variant }));
      rows.push(...judged.map((program) => ({ ...program, file: path, kernel: kernel.name, variant })));
    }
  } catch (error) {
    if (folder !== null && error instanceof CountersignError && error.code === "ELF_NO_PROGRAMS") return [];
    throw error;
  }
  return rows;
}

/** `3 listed, 1 ticket`. */
export function summaryOf(rows: readonly JudgedRow[]): string {
  const counts = RESULTS.map((result) => [rows.filter((row) => row.result === result).length, result] as const);
  const found = counts.filter(([count]) => count > 0).map(([count, result]) => `${count} ${result}`);
  return found.length === 0 ? "no programs" : found.join(", ");
}

const STYLES = { listed: "green", denied: "red", ticket: "yellow", never: "yellow", "cannot load": "gray" } as const;

export const JUDGED_HEAD = ["program", "type", "kernel", "result", "why"] as const;

export function judgedCells({ file, name, type, kernel, result, reason }: JudgedRow): readonly string[] {
  return [`${file} ${name}`, type, kernel, styled(STYLES[result], result), reason ?? ""];
}

export function judgedJson({ entries, ...row }: JudgedRow): object {
  const { file, offset, name, section, type, kernel, variant, result, reason } = row;
  const digests = [...new Set(entries.map(({ digest }) => digest))];
  return { file, offset, name, section, type, kernel, variant, result, reason, digests };
}
