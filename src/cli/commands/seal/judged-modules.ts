import { createHash } from "node:crypto";
import { MAX_INPUT, readInput } from "../../../input.js";
import { type JudgeFileOptions, judgeContents } from "../../../seal/file-judgement.js";
import { compressionOf, decompressed, joined } from "../../kernel/compression/compression.js";
import { filesIn, type JudgedFile, judgeEach } from "./judged-file.js";

/** Names of files of modules. */
export const MODULE_FILE = /\.ko(?:\.(?:xz|gz|zst))?$/;

/**
 * Judges the modules that are named, and those below folders that are named. Policies are asked about the module that
 * the kernel takes; a file that is compressed is listed with both digests, since either it or what is in it is loaded.
 * Those of `known` are not judged again. Errors of a file are printed, and the file is added to `failed`.
 */
export async function judgeModules(
  paths: readonly string[],
  judge: JudgeFileOptions,
  failed: Set<string>,
  known: ReadonlyMap<string, JudgedFile>,
): Promise<readonly JudgedFile[]> {
  const files = [...new Set(filesIn(paths, MODULE_FILE, "kernel module"))].filter((file) => !failed.has(file));
  return judgeEach(files, async (file) => known.get(file) ?? (await judgedModule(file, judge)), failed);
}

async function judgedModule(file: string, judge: JudgeFileOptions): Promise<JudgedFile> {
  const bytes = readInput(file);
  const compression = compressionOf(bytes);
  const plain = compression === null ? bytes : await joined(decompressed(compression, [bytes], MAX_INPUT * 4, file));
  const { result, reason } = await judgeContents(file, plain, "kernel_read_file", judge);
  const digests = [...new Set([sha256(bytes), sha256(plain)])];
  return { file, kind: "modules", result, reason, digests: result === "listed" ? digests : [] };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
