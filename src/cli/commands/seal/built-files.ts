import { CountersignError } from "../../../error.js";
import { HOOK_OF_FILES, type JudgeFileOptions } from "../../../seal/file-judgement.js";
import { encodeFileList, FILE_KINDS, type FileKind, parseFileList } from "../../../seal/files.js";
import { NO_FILES } from "../../../seal/list.js";
import { hasRule, type PlannedEngine } from "../../../seal/plan.js";
import { judgeExecutables } from "./judged-executables.js";
import { type JudgedFile, summaryOfFiles } from "./judged-file.js";
import { judgeModules } from "./judged-modules.js";

/** The files that are named for a list of files. */
export interface NamedFiles {
  readonly module?: readonly string[];
  readonly executable?: readonly string[];
}

export interface BuiltFiles {
  /** The list of files; null if the configuration has no rule about files. */
  readonly list: Buffer | null;
  /** SHA-256 of the list in lower-case hex; NO_FILES without one. */
  readonly sha256: string;
  readonly rows: readonly JudgedFile[];
  /** For people, a part for each kind that must be listed. */
  readonly summary: readonly string[];
}

interface KindRow {
  readonly kind: FileKind;
  readonly option: keyof NamedFiles;
  readonly judge: (
    paths: readonly string[],
    options: JudgeFileOptions,
    failed: Set<string>,
  ) => Promise<readonly JudgedFile[]>;
}

const KINDS: readonly KindRow[] = [
  { kind: "modules", option: "module", judge: judgeModules },
  { kind: "executables", option: "executable", judge: judgeExecutables },
];

/**
 * Judges the named files of each kind for which the configuration has a rule. A kind with a rule and no files gets an
 * empty list, so that all such files are denied. Throws USAGE if files are named without a rule.
 */
export async function buildFiles(
  named: NamedFiles,
  judge: JudgeFileOptions & { readonly engine: PlannedEngine },
  failed: Set<string>,
): Promise<BuiltFiles> {
  const rows: JudgedFile[] = [];
  const digests = Object.fromEntries(FILE_KINDS.map((kind) => [kind, null])) as Record<
    FileKind,
    readonly string[] | null
  >;
  for (const { kind, option, judge: judgeKind } of KINDS) {
    const paths = named[option];
    if (!hasRule(judge.config, judge.engine, HOOK_OF_FILES[kind])) {
      if (paths !== undefined) throw withoutRule(kind, option);
      continue;
    }
    const found = await judgeKind(paths ?? [], judge, failed);
    rows.push(...found);
    digests[kind] = found.flatMap((row): readonly string[] => row.digests);
  }
  const kinds = FILE_KINDS.filter((kind) => digests[kind] !== null);
  if (kinds.length === 0) return { list: null, sha256: NO_FILES, rows, summary: [] };
  const list = encodeFileList(digests);
  const summary = kinds.map((kind) => summaryOfFiles(rows, kind));
  return { list, sha256: parseFileList(list).sha256, rows, summary };
}

function withoutRule(kind: FileKind, option: string): CountersignError {
  const hook = HOOK_OF_FILES[kind];
  return new CountersignError("USAGE", `the configuration has no rule at ${hook}, so that no ${kind} need be listed`, {
    remedy: `leave out --${option}, or add an attachment for ${hook}`,
  });
}
