import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { CountersignError } from "../../../error.js";
import { MAX_INPUT, readInput } from "../../../input.js";
import { type JudgeFileOptions, judgeContents } from "../../../seal/file-judgement.js";
import { compressionOf, decompressed, joined } from "../../kernel/compression/compression.js";
import { printError } from "../../output/output.js";
import { progress } from "../../output/progress.js";
import type { JudgedFile } from "./judged-file.js";

/** Names of modules in folders. */
const MODULE = /\.ko(?:\.(?:xz|gz|zst))?$/;

/**
 * Judges the modules that are named, and those below folders that are named. Policies are asked about the module that
 * the kernel takes; a file that is compressed is listed with both digests, since either it or what is in it is loaded.
 * Errors of a file are printed, and the file is added to `failed`.
 */
export async function judgeModules(
  paths: readonly string[],
  judge: JudgeFileOptions,
  failed: Set<string>,
): Promise<readonly JudgedFile[]> {
  const files = paths.flatMap(modulesIn);
  const bar = await progress(files.length);
  const rows: JudgedFile[] = [];
  for (const file of files) {
    bar.step(file);
    try {
      rows.push(await judgedModule(file, judge));
    } catch (error) {
      if (!(error instanceof CountersignError) || error.place?.startsWith(file) !== true) throw error;
      printError(error);
      failed.add(file);
    }
  }
  bar.stop();
  return rows;
}

async function judgedModule(file: string, judge: JudgeFileOptions): Promise<JudgedFile> {
  const bytes = readInput(file);
  const compression = compressionOf(bytes);
  const plain = compression === null ? bytes : await joined(decompressed(compression, [bytes], MAX_INPUT * 4, file));
  const { result, reason } = await judgeContents(file, plain, "kernel_read_file", judge);
  const digests = [...new Set([sha256(bytes), sha256(plain)])];
  return { file, kind: "modules", result, reason, digests: result === "listed" ? digests : [] };
}

function modulesIn(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const entries = readdirSync(path, { recursive: true, withFileTypes: true });
    const modules = entries.filter((entry) => entry.isFile() && MODULE.test(entry.name));
    return modules.map((entry) => join(entry.parentPath, entry.name)).sort();
  } catch (cause) {
    throw new CountersignError("FILE_UNREADABLE", `cannot be read: ${(cause as NodeJS.ErrnoException).code}`, {
      place: path,
      remedy: "check the path and its permissions",
      cause,
    });
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
