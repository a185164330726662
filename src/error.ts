/** The codes of {@link CountersignError}: a closed list. Each code has a page of the same name in docs/errors/. */
export const ERROR_CODES = [
  // files and arguments
  "USAGE",
  "FILE_UNREADABLE",
  "FILE_TOO_LARGE",
  "NOTHING_FOUND",
  // bpf
  "ELF_MALFORMED",
  "ELF_UNSUPPORTED",
  "ELF_NO_PROGRAMS",
  "BTF_MALFORMED",
  "INSN_MALFORMED",
  "LOAD_MALFORMED",
  "CORE_MALFORMED",
  "CORE_UNSUPPORTED",
  "CORE_AMBIGUOUS",
  "CORE_UNRESOLVED",
  "CORE_NEEDS_KALLSYMS",
  "CORE_BYTE_ORDER",
  "STATEMENT_MALFORMED",
  "STATEMENT_UNSUPPORTED",
  // kernels that are named with --btf
  "KERNEL_MALFORMED",
  "KERNEL_UNSUPPORTED",
  "KERNEL_LACKS",
  // trust
  "DER_MALFORMED",
  "CERTIFICATE_MALFORMED",
  "CRL_MALFORMED",
  "KEY_MALFORMED",
  "KEYRING_INVALID",
  "SIGNATURE_MALFORMED",
  "SIGNING_FAILED",
  // configuration and policies
  "CONFIG_INVALID",
  "SELECTOR_INVALID",
  "MAP_INVALID",
  "POLICY_SYNTAX",
  "POLICY_FORBIDDEN",
  "POLICY_TOO_LARGE",
  "POLICY_UNKNOWN_HOOK",
  "POLICY_NO_HOOK",
  "POLICY_UNKNOWN_NAME",
  "POLICY_UNUSED_DENIAL",
  "POLICY_UNKNOWN_FACT",
  "PROOF_MALFORMED",
  "PROOF_OUTDATED",
  "PROOF_TREE_WRONG",
  "PROOF_ANSWER_WRONG",
  "PROOF_REFUTATION_WRONG",
  "PROOF_WITNESS_WRONG",
  "PROOF_UNSUPPORTED",
  "PROPERTY_INVALID",
  // decision logs
  "LOG_DAMAGED",
  "LOG_EMPTY",
  "LOG_VERSION",
  "RECORD_NOT_FOUND",
  "INPUTS_MISSING",
  "EXPORT_FAILED",
  "EXPORT_RUNNING",
  "LEARN_NOTHING",
  // engine and gate
  "ENGINE_CLOSED",
  "GATE_UNSUPPORTED",
  "GATE_NESTED",
  "GATE_FAILED",
  "LOADS_THROTTLED",
  "CONTAINER_REJECTED",
  "SOCKET_UNUSABLE",
  "HOOK_NOT_ENFORCED",
  "LABELS_UNKNOWN",
  "FACTS_UNKNOWN",
  // seal
  "SEAL_LIST_MALFORMED",
  "SEAL_LIST_UNSUPPORTED",
  "SEAL_LIST_OTHER_KERNEL",
  "SEAL_LIST_UNSIGNED",
  "SEAL_LIST_OLDER",
  "SEAL_LIST_OTHER_RULES",
  "SEAL_LIST_NOT_REPLACED",
  "SEAL_KEY_UNSUPPORTED",
  "SEAL_MODULES_UNCHOSEN",
  "SEAL_MODULES_MALFORMED",
  "SEAL_FILES_MISMATCH",
  "SEAL_UNSUPPORTED",
  "SEAL_RUNNING",
  "SEAL_NOT_ENFORCED",
  "SEAL_FAILED",
  "SEAL_UNLISTED_LOADED",
  "SEAL_IMPOSSIBLE",
  "SEAL_CLASS_EXCLUDED",
  "SEAL_NO_ACCESS",
  "SEAL_NOT_RUNNING",
  "SEAL_DENIED",
  "SEAL_NO_GUEST",
  // scan
  "SCAN_NO_ACCESS",
  "SCAN_INCOMPLETE",
  "SCAN_ARCHIVE_INVALID",
  "SCAN_NOT_DETACHED",
  "SCAN_NO_OBJECT",
  "INTERNAL",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorDetail {
  /**
   * The place in the input: a file, then a line and column, section or byte offset (`a.o: section .maps`,
   * `c.yaml:3:7`).
   */
  readonly place?: string | undefined;
  /** What the reader can do about it, as an imperative without a full stop. */
  readonly remedy?: string | undefined;
  readonly cause?: unknown;
  /** Further errors in the same input, in the order in which they are to be reported. */
  readonly others?: readonly CountersignError[];
}

/** Maximum number of errors in one input that are reported, as compilers have one. */
const MAX_REPORTED = 20;

interface ErrorJson {
  readonly code: ErrorCode;
  readonly message: string;
  readonly place: string | null;
  readonly remedy: string | null;
  readonly others?: readonly ErrorJson[];
  /** Number of errors that are left out of `others`. */
  readonly omitted?: number;
}

export class CountersignError extends Error {
  override readonly name = "CountersignError";
  readonly code: ErrorCode;
  readonly place: string | undefined;
  readonly remedy: string | undefined;
  /** Further errors in the same input. */
  readonly others: readonly CountersignError[];

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(oneLine(message), detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.place = detail.place;
    this.remedy = detail.remedy;
    this.others = detail.others ?? [];
  }

  /** One error with all of these, in their order; there must be at least one. */
  static together([first, ...others]: readonly [CountersignError, ...CountersignError[]]): CountersignError {
    if (others.length === 0) return first;
    const { code, message, place, remedy, cause } = first;
    return new CountersignError(code, message, { place, remedy, cause, others: [...first.others, ...others] });
  }

  /** The same error with an outer place in front of its own, such as the file of the section that is wrong. */
  within(outer: string): CountersignError {
    const place = this.place === undefined ? outer : `${outer}: ${this.place}`;
    const others = this.others.map((other) => other.within(outer));
    return new CountersignError(this.code, this.message, {
      ...{ place, remedy: this.remedy, cause: this.cause ?? this, others },
    });
  }

  /** The form that commands write with --json. `others` and `omitted` are there if the input has several errors. */
  toJSON(): ErrorJson {
    const { code, message, place = null, remedy = null } = this;
    const own = { code, message, place, remedy };
    if (this.others.length === 0) return own;
    const { shown, omitted } = this.#reported();
    return { ...own, others: shown.map((other) => other.toJSON()), ...(omitted === 0 ? {} : { omitted }) };
  }

  /** One line for a person: place, what is wrong, the number of other errors, the code, and the remedy. */
  override toString(): string {
    return this.#line(this.others.length === 0 ? "" : ` (and ${this.others.length} more)`);
  }

  /** For a person: a line for each error, and one that says how many are left out. */
  toLines(): readonly string[] {
    const { shown, omitted } = this.#reported();
    const more =
      omitted === 0
        ? []
        : [`${omitted} more ${omitted === 1 ? "error is" : "errors are"} not shown; correct these first`];
    return [this.#line(""), ...shown.map((other) => other.#line("")), ...more];
  }

  #line(more: string): string {
    const place = this.place === undefined ? "" : `${oneLine(this.place)}: `;
    const remedy = this.remedy === undefined ? "" : `; ${oneLine(this.remedy)}`;
    return `${place}${this.message}${more} [${this.code}]${remedy}`;
  }

  #reported(): { readonly shown: readonly CountersignError[]; readonly omitted: number } {
    const shown = this.others.slice(0, MAX_REPORTED - 1);
    return { shown, omitted: this.others.length - shown.length };
  }
}

/**
 * Replaces control characters and line breaks from input, so that a message stays one line and cannot move the cursor.
 */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");
}
