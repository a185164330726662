import { CountersignError } from "../error.js";
import { hash } from "./digest.js";
import type { Keyring, KeyringRules, SourceFile } from "./keyring.js";
import type { SealedLists } from "./sealed-lists.js";

/** Where a keyring's rules come from. */
export interface KeyringSource {
  /** What can be said of the files without reading them. */
  readonly state: () => SourceState;
  /** Throws a CountersignError where a file cannot be read. */
  readonly read: () => KeyringRules;
  /** The files of CRLs that can be read. */
  readonly lists: () => readonly SourceFile[];
}

export interface SourceState {
  /** Another one whenever a file may be another. */
  readonly mark: string;
  /** When a file was last changed, in milliseconds since the epoch. */
  readonly newest: number;
}

/** What came of looking at a keyring's files again. */
export interface KeyringChange {
  readonly keyring: string;
  /** The one that counts now. */
  readonly generation: number;
  /** Why the files do not count, and the last good ones still do; null where they do. */
  readonly error: CountersignError | null;
}

/**
 * Keeps a keyring at what its files say. The set is replaced as a whole or not at all: what was read counts only if no
 * file changed meanwhile and none has for {@link SETTLED}, so that files which belong together are taken together. What
 * cannot be used keeps the last good set, and is told once. A sealed keyring only takes newer CRLs.
 */
export class LiveKeyring {
  /** How often files that had changed could not be used. */
  failures = 0;
  #mark: string;
  #digest: string;
  /** Since when there has been a change that is not taken yet; null where there is none. */
  #waiting: number | null = null;

  /** `rules` are those that the keyring was opened with, read while the source was in `state`. */
  constructor(
    readonly keyring: Keyring,
    private readonly source: KeyringSource,
    rules: KeyringRules,
    state: SourceState,
    /** Null for a keyring that is not sealed. */
    readonly sealed: SealedLists | null,
  ) {
    this.#mark = state.mark;
    // the digest of what the files say
    this.#digest = digestOf({ ...rules, revoked: { ...rules.revoked, newer: undefined } });
  }

  /**
   * Looks whether the files have changed; `now` in milliseconds since the epoch. Null where nothing has that counts.
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
    // touched, or written again as it was
    if (digest === this.#digest) {
      this.#settle(state);
      return null;
    }
    this.keyring.replace(rules);
    this.#digest = digest;
    this.#settle(state);
    return { keyring: this.keyring.name, generation: this.keyring.generation, error: null };
  }

  /** Takes the CRLs that another thread took of the same sealed keyring. */
  adopt(rules: KeyringRules): void {
    if (this.sealed?.adopt(rules)) this.keyring.replace(this.sealed.asked);
  }

  /** Everything in the files but newer CRLs is only reported. */
  #offer(state: SourceState, sealed: SealedLists): KeyringChange | null {
    const whole = this.#whole();
    const lists = this.source.lists();
    if (this.source.state().mark !== state.mark) return null;
    const digest = whole === null ? "" : digestOf(whole);
    if (digest === this.#digest) {
      this.#settle(state);
      return null;
    }
    this.#digest = digest;
    const others = whole === null || digestOf(withoutLists(whole)) !== digestOf(withoutLists(sealed.rules));
    const { changed, rejected } = sealed.offer(lists);
    if (changed) this.keyring.replace(sealed.asked);
    if (others || rejected.length > 0) return this.#failed(state, isSealed(rejected));
    this.#settle(state);
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

  #settle({ mark }: SourceState): void {
    this.#mark = mark;
    this.#waiting = null;
  }

  #failed(state: SourceState, error: CountersignError): KeyringChange {
    this.failures += 1;
    this.#settle(state);
    const { name, generation } = this.keyring;
    return { keyring: name, generation, error: error.within(`keyring \`${name}\``) };
  }
}

/** Milliseconds for which no file may have changed before a new set is taken. */
export const SETTLED = 100;
/** Milliseconds after which a set is taken even so: whoever keeps writing must not keep a revocation out. */
export const PATIENCE = 2_000;

function isSealed(rejected: readonly string[]): CountersignError {
  const message = ["is sealed, and its files have changed", ...rejected.slice(0, MOST_TOLD)].join("; ");
  return new CountersignError("KEYRING_INVALID", message, {
    remedy: "end the process to have them read again, or put them back",
  });
}

/** Rejected lists that one message names. */
const MOST_TOLD = 8;

function withoutLists({ revoked: { newer: _, ...revoked }, ...rules }: KeyringRules): KeyringRules {
  return { ...rules, revoked: { ...revoked, crls: [] } };
}

/** Over everything that a keyring is made of, file by file. */
function digestOf(rules: KeyringRules): string {
  const shown = JSON.stringify(rules, (_, value) =>
    value?.bytes instanceof Uint8Array
      ? { path: value.path, sha256: hash("sha256", (value as SourceFile).bytes) }
      : value,
  );
  return hash("sha256", Buffer.from(shown));
}
