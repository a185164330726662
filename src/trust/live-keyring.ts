import { CountersignError } from "../error.js";
import type { Keyring, KeyringRules, SourceFile } from "./keyring.js";
import { digestOf } from "./rules-digest.js";
import type { SealedLists } from "./sealed-lists.js";

/** The source of a keyring's rules. */
export interface KeyringSource {
  /** The state of the files, found without reading them. */
  readonly state: () => SourceState;
  /** Throws a CountersignError if a file cannot be read. */
  readonly read: () => KeyringRules;
  /** The CRL files that can be read. */
  readonly lists: () => readonly SourceFile[];
}

export interface SourceState {
  /** Differs whenever a file may have changed. */
  readonly mark: string;
  /** When a file was last changed, in milliseconds since the epoch. */
  readonly newest: number;
}

/** The result of checking a keyring's files for changes. */
export interface KeyringChange {
  readonly keyring: string;
  /** The number of the generation in use now. */
  readonly generation: number;
  /** Why the files were not used, in which case the previous contents stay in use; null if they were. */
  readonly error: CountersignError | null;
}

/**
 * Keeps a keyring up to date with its files. The contents are replaced as a whole or not at all: new contents are used
 * only if no file changed while they were read, nor within the last {@link SETTLED} ms, so that files which belong
 * together are replaced together. If the files cannot be used, the previous contents stay in use, and the error is
 * reported once. A sealed keyring accepts only newer CRLs.
 */
export class LiveKeyring {
  /** Number of times that changed files could not be used. */
  failures = 0;
  #mark: string;
  #digest: string;
  #rules: KeyringRules;
  /** The time since which a change has been pending; null if none is. */
  #waiting: number | null = null;

  /** `rules` are those that the keyring was opened with; they were read while the source was in `state`. */
  constructor(
    readonly keyring: Keyring,
    private readonly source: KeyringSource,
    rules: KeyringRules,
    state: SourceState,
    /** Null if the keyring is not sealed. */
    readonly sealed: SealedLists | null,
  ) {
    this.#mark = state.mark;
    this.#rules = rules;
    // `newer` is in no file
    this.#digest = digestOf({ ...rules, revoked: { ...rules.revoked, newer: undefined } });
  }

  /** The rules in use. */
  get rules(): KeyringRules {
    return this.sealed?.rules ?? this.#rules;
  }

  /**
   * Checks whether the files have changed. `now` is in milliseconds since the epoch. Returns null if there is nothing
   * to report.
   */
  refresh(now: number): KeyringChange | null {
    const state = this.source.state();
    if (state.mark === this.#mark && this.#waiting === null) return null;
    this.#waiting ??= now;
    if (now - state.newest < SETTLED && now - this.#waiting < PATIENCE) return null;
    if (this.sealed !== null) return this.#offer(state, this.sealed);
    try {
      const rules = this.source.read();
      if (this.source.state().mark !== state.mark) return null;
      return this.#take(state, rules);
    } catch (error) {
      const known =
        error instanceof CountersignError ? error : new CountersignError("INTERNAL", String(error), { cause: error });
      return this.#failed(state, known);
    }
  }

  #take(state: SourceState, rules: KeyringRules): KeyringChange | null {
    const digest = digestOf(rules);
    // The files were touched, or written with the same contents
    if (digest === this.#digest) {
      this.#recordState(state);
      return null;
    }
    this.keyring.replace(rules);
    this.#rules = rules;
    this.#digest = digest;
    this.#recordState(state);
    return { keyring: this.keyring.name, generation: this.keyring.generation, error: null };
  }

  /** Uses the CRLs that another thread accepted for the same sealed keyring. */
  adopt(rules: KeyringRules): void {
    if (this.sealed?.adopt(rules)) this.keyring.replace(this.sealed.asked);
  }

  /** Uses newer CRLs; any other change of the files is only reported. */
  #offer(state: SourceState, sealed: SealedLists): KeyringChange | null {
    const whole = this.#whole();
    const lists = this.source.lists();
    if (this.source.state().mark !== state.mark) return null;
    const digest = whole === null ? "" : digestOf(whole);
    if (digest === this.#digest) {
      this.#recordState(state);
      return null;
    }
    this.#digest = digest;
    const others = whole === null || digestOf(withoutLists(whole)) !== digestOf(withoutLists(sealed.rules));
    const { changed, rejected } = sealed.offer(lists);
    if (changed) this.keyring.replace(sealed.asked);
    if (others || rejected.length > 0) return this.#failed(state, isSealed(rejected));
    this.#recordState(state);
    return changed ? { keyring: this.keyring.name, generation: this.keyring.generation, error: null } : null;
  }

  /** Null if any file cannot be read. */
  #whole(): KeyringRules | null {
    try {
      return this.source.read();
    } catch {
      return null;
    }
  }

  #recordState({ mark }: SourceState): void {
    this.#mark = mark;
    this.#waiting = null;
  }

  #failed(state: SourceState, error: CountersignError): KeyringChange {
    this.failures += 1;
    this.#recordState(state);
    const { name, generation } = this.keyring;
    return { keyring: name, generation, error: error.within(`keyring \`${name}\``) };
  }
}

/** Milliseconds for which all files must be unchanged before new contents are used. */
export const SETTLED = 100;
/** Milliseconds after which new contents are used anyway, so that constant writes cannot delay a revocation. */
export const PATIENCE = 2_000;

function isSealed(rejected: readonly string[]): CountersignError {
  const message = ["is sealed, and its files have changed", ...rejected.slice(0, MOST_TOLD)].join("; ");
  return new CountersignError("KEYRING_INVALID", message, {
    remedy: "restart the process to use them, or restore the files",
  });
}

/** The most rejected lists that one message names. */
const MOST_TOLD = 8;

function withoutLists({ revoked: { newer: _, ...revoked }, ...rules }: KeyringRules): KeyringRules {
  return { ...rules, revoked: { ...revoked, crls: [] } };
}
