import { basename } from "node:path";
import { CountersignError } from "../../../error.js";
import { HOOK_OF_FILES, type JudgeFileOptions } from "../../../seal/file-judgement.js";
import { encodeFileList, FILE_KINDS, type FileKind, parseFileList } from "../../../seal/files.js";
import { NO_FILES } from "../../../seal/list.js";
import { type PlannedEngine, ruleAt } from "../../../seal/plan.js";
import type { ModuleChoice } from "../../input/module-choice.js";
import type { NeededModule } from "../../kernel/modules/present-modules.js";
import { chosenModules, type ModulesOf } from "./chosen-modules.js";
import { judgeExecutables } from "./judged-executables.js";
import { type JudgedFile, summaryOfFiles } from "./judged-file.js";
import { judgeModules } from "./judged-modules.js";

/** The files that a list of files is to have. */
export interface NamedFiles {
  readonly modules: ModuleChoice;
  /** The root directory in which modules are found by their names. */
  readonly root: string;
  readonly executable?: readonly string[] | undefined;
}

/** The list of files of one kernel. */
export interface BuiltFiles {
  /** Null if no files need be listed. */
  readonly list: Buffer | null;
  /** SHA-256 of the list in lower-case hex; NO_FILES without one. */
  readonly sha256: string;
  /** The modules that the machine needs; null if they were not asked for. */
  readonly present: readonly NeededModule[] | null;
  /** For people, a part for each kind that must be listed. */
  readonly summary: readonly string[];
  /** For people: where the names of modules come from. */
  readonly notes: readonly string[];
}

type PlannedJudge = JudgeFileOptions & { readonly engine: PlannedEngine };

/**
 * Judges files for the lists of several kernels, each file once. Files that cannot be read are printed and added to
 * `failed`.
 */
export class FileLists {
  readonly #judged = new Map<string, JudgedFile>();
  #executables: readonly JudgedFile[] | null = null;

  /**
   * Throws USAGE if executables are named and no rule is about them, or modules load by ticket and no policy decides
   * about them; and SEAL_IMPOSSIBLE if all signed modules may be loaded and a rule is about modules.
   */
  constructor(
    private readonly named: NamedFiles,
    private readonly judge: PlannedJudge,
    private readonly failed: Set<string>,
  ) {
    const { modules, executable } = named;
    if (executable !== undefined && this.#ruleAbout("executables") === null) throw WITHOUT_RULE();
    const rule = this.#ruleAbout("modules");
    if (modules.kind === "all-signed" && rule !== null) throw RULE_WITHOUT_LIST();
    if (modules.kind === "list" && modules.byTicket && rule !== "attachment") throw TICKET_WITHOUT_POLICY();
  }

  /** All files that were judged, in the order of the kernels. */
  get rows(): readonly JudgedFile[] {
    return [...this.#judged.values(), ...(this.#executables ?? [])];
  }

  /**
   * The list of files of a kernel. A rule about executables without any gives an empty list, so that all are denied.
   * Throws what {@link chosenModules} throws, and NOTHING_FOUND.
   */
  async of(kernel: ModulesOf): Promise<BuiltFiles> {
    const { modules: choice, root } = this.named;
    const chosen = choice.kind === "all-signed" ? null : await chosenModules(choice, root, kernel);
    const rows: Readonly<Record<FileKind, readonly JudgedFile[] | null>> = {
      modules: chosen === null ? null : await this.#modules(chosen.paths),
      executables: this.#ruleAbout("executables") === null ? null : await this.#judgedExecutables(),
    };
    const { present = null, notes: found = [] } = chosen ?? {};
    const never = (rows.modules ?? []).filter(({ result }) => result === "never").map(({ file }) => basename(file));
    const notes = never.length === 0 ? found : [...found, `always denied: ${never.join(", ")}`];
    const kinds = FILE_KINDS.filter((kind) => rows[kind] !== null);
    if (kinds.length === 0) return { list: null, sha256: NO_FILES, summary: [], present, notes };
    const digests = Object.fromEntries(
      FILE_KINDS.map((kind) => [kind, rows[kind]?.flatMap((row): readonly string[] => row.digests) ?? null]),
    ) as Record<FileKind, readonly string[] | null>;
    const modulesByTicket = choice.kind === "list" && choice.byTicket;
    const list = encodeFileList({ ...digests, modulesByTicket });
    const tickets = modulesByTicket ? ["other modules by ticket"] : [];
    const summary = [...kinds.map((kind) => summaryOfFiles(rows[kind]!, kind)), ...tickets];
    return { list, sha256: parseFileList(list).sha256, summary, present, notes };
  }

  async #modules(paths: readonly string[]): Promise<readonly JudgedFile[]> {
    const rows = await judgeModules(paths, this.judge, this.failed, this.#judged);
    for (const row of rows) this.#judged.set(row.file, row);
    return rows;
  }

  async #judgedExecutables(): Promise<readonly JudgedFile[]> {
    this.#executables ??= await judgeExecutables(this.named.executable ?? [], this.judge, this.failed);
    return this.#executables;
  }

  #ruleAbout(kind: FileKind): ReturnType<typeof ruleAt> {
    return ruleAt(this.judge.config, this.judge.engine, HOOK_OF_FILES[kind]);
  }
}

const WITHOUT_RULE = () =>
  new CountersignError(
    "USAGE",
    `the configuration has no rule at ${HOOK_OF_FILES.executables}, so that no executables need be listed`,
    { remedy: `leave out --executable, or add an attachment for ${HOOK_OF_FILES.executables}` },
  );

const RULE_WITHOUT_LIST = () =>
  new CountersignError(
    "SEAL_IMPOSSIBLE",
    `hook \`${HOOK_OF_FILES.modules}\` has a rule, and with \`all-signed\` the guard allows modules that it denies`,
    { place: "--modules", remedy: "list modules: choose `present` or FILE" },
  );

const TICKET_WITHOUT_POLICY = () =>
  new CountersignError(
    "USAGE",
    `no attachment that enforces decides at hook \`${HOOK_OF_FILES.modules}\`, so that no module would load by ticket`,
    { place: "--modules", remedy: "add an attachment whose policy allows modules, or leave `by-ticket` out" },
  );
