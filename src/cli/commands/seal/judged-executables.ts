import { readInput } from "../../../input.js";
import { type JudgeFileOptions, judgeContents } from "../../../seal/file-judgement.js";
import { fsVerityDigest } from "../../../seal/fs-verity.js";
import { filesIn, type JudgedFile, judgeEach } from "./judged-file.js";

/** The greatest executable that is read, in bytes. */
const MAX_EXECUTABLE = 512 * 1024 * 1024;

/**
 * Judges executables and libraries: the files that are named, and all below folders that are named. Errors of a file
 * are printed, and the file is added to `failed`.
 */
export async function judgeExecutables(
  paths: readonly string[],
  judge: JudgeFileOptions,
  failed: Set<string>,
): Promise<readonly JudgedFile[]> {
  return judgeEach(filesIn(paths, /(?:)/, "executable"), (file) => judgedExecutable(file, judge), failed);
}

async function judgedExecutable(file: string, judge: JudgeFileOptions): Promise<JudgedFile> {
  const bytes = readInput(file, MAX_EXECUTABLE);
  const { result, reason } = await judgeContents(file, bytes, "bprm_check_security", judge);
  return { file, kind: "executables", result, reason, digests: result === "listed" ? [fsVerityDigest(bytes)] : [] };
}
