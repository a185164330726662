import { CountersignError } from "../error.js";
import { hash } from "./digest.js";
import type { Keyring, KeyringRules, SourceFile } from "./keyring.js";

/** Where a keyring's rules come from. */
export interface KeyringSource {
  /** What can be said of the files without reading them. */
  readonly state: () => SourceState;
  /** Throws a CountersignError where a file cannot be read. */
  readonly read: () => KeyringRules;
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
 * Keeps a keyring at what its files say. The set is replaced as a whole or not at all: what was read counts only if no file
 * changed meanwhile and none has for {@link SETTLED}, so that files which belong together are taken together. What cannot be
 * used keeps the last good set, and is told once. A sealed keyring stays as it is.
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
    readonly sealed: boolean,
  ) {
    this.#mark = state.mark;
    this.#digest = digestOf(rules);
  }

  /** Looks whether the files have changed; `now` in milliseconds since the epoch. Null where nothing has that counts. */
  refresh(now: number): KeyringChange | null {
    const state = this.source.state();
    if (state.mark === this.#mark && this.#waiting === null) return null;
    this.#waiting ??= now;
    if (now - state.newest < SETTLED && now - this.#waiting < PATIENCE) return null;
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
    if (this.sealed) return this.#failed(state, isSealed());
    this.keyring.replace(rules);
    this.#digest = digest;
    this.#settle(state);
    return { keyring: this.keyring.name, generation: this.keyring.generation, error: null };
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

function isSealed(): CountersignError {
  return new CountersignError("KEYRING_INVALID", "is sealed, and its files have changed", {
    remedy: "end the process to have them read again, or put them back",
  });
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
