import type { KeyringConfig } from "../../config/keyring.js";
import { filesOf, listsOf, rulesOf, stateOf } from "../../config/keyring-files.js";
import { CountersignError } from "../../error.js";
import { type Keyring, type KeyringRules, openKeyring } from "../../trust/keyring.js";
import { type KeyringChange, LiveKeyring } from "../../trust/live-keyring.js";
import { digestOf } from "../../trust/rules-digest.js";
import { SealedLists } from "../../trust/sealed-lists.js";

/**
 * Rules of sealed keyrings, by name. They are read once per process and passed to each engine that it opens. Plain
 * data.
 */
export type SealedRules = ReadonlyMap<string, KeyringRules>;

/** Milliseconds between checks of the files. */
const INTERVAL = 250;

/**
 * The keyrings of one engine. Changes of their files are used only between decisions: {@link refresh} is called before
 * each decision, and the decision uses one generation of each keyring.
 */
export class Keyrings {
  readonly byName: ReadonlyMap<string, Keyring>;
  readonly #sealed: SealedRules;
  readonly #live: readonly LiveKeyring[];
  #looked = Number.NEGATIVE_INFINITY;

  /** Throws what {@link openKeyring} and reading files throw, with the place in the configuration. */
  constructor(configs: readonly KeyringConfig[], sealed?: SealedRules) {
    this.#sealed = sealedRules(configs, sealed);
    this.#live = configs.map((config) => open(config, this.#sealed.get(config.name)));
    this.byName = new Map(this.#live.map(({ keyring }) => [keyring.name, keyring]));
  }

  /** The current rules of sealed keyrings. */
  get sealed(): SealedRules {
    const current = this.#live.flatMap(({ keyring: { name }, sealed }) =>
      sealed ? [[name, sealed.rules] as const] : [],
    );
    return new Map([...this.#sealed, ...current]);
  }

  /** Incremented by each change of {@link sealed}. */
  get sealedVersion(): number {
    return this.#live.reduce((sum, { sealed }) => sum + (sealed?.version ?? 0), 0);
  }

  /** Uses the CRLs that another thread accepted. */
  adopt(sealed: SealedRules): void {
    for (const live of this.#live) {
      const rules = sealed.get(live.keyring.name);
      if (rules !== undefined) live.adopt(rules);
    }
  }

  /** Uses changed files, if the last check was long enough ago. `now` is in milliseconds since the epoch. */
  refresh(now: number): readonly KeyringChange[] {
    if (now >= this.#looked && now - this.#looked < INTERVAL) return NOTHING;
    this.#looked = now;
    const changes: KeyringChange[] = [];
    for (const live of this.#live) {
      const change = live.refresh(now);
      if (change !== null) changes.push(change);
    }
    return changes;
  }

  /** The generation of each keyring, and the SHA-256 of its rules in use. */
  digests(): Readonly<Record<string, { readonly generation: number; readonly sha256: string }>> {
    return Object.fromEntries(
      this.#live.map(({ keyring: { name, generation }, rules }) => [name, { generation, sha256: digestOf(rules) }]),
    );
  }

  /** The state of each keyring. */
  status(): readonly KeyringStatus[] {
    return this.#live.map(({ keyring: { name, generation }, failures, sealed }) => ({
      name,
      generation,
      failures,
      sealed: sealed !== null,
    }));
  }
}

export interface KeyringStatus {
  readonly name: string;
  readonly generation: number;
  /** Number of times that changed files could not be used. */
  readonly failures: number;
  readonly sealed: boolean;
}

/**
 * The rules of a configuration's sealed keyrings. Those in `before` stay as they are, since no later configuration can
 * unseal them; the others are read now. Throws FILE_UNREADABLE, FILE_TOO_LARGE.
 */
export function sealedRules(configs: readonly KeyringConfig[], before: SealedRules = new Map()): SealedRules {
  const fresh = configs.filter(({ name, sealed }) => sealed === true && !before.has(name));
  return new Map([...before, ...fresh.map((config) => [config.name, blaming(config, () => rulesOf(config))] as const)]);
}

const NOTHING: readonly KeyringChange[] = [];

function open(config: KeyringConfig, given: KeyringRules | undefined): LiveKeyring {
  return blaming(config, () => {
    const files = filesOf(config);
    const state = stateOf(files);
    const rules = given ?? rulesOf(config);
    const source = { state: () => stateOf(files), read: () => rulesOf(config), lists: () => listsOf(config) };
    // The rules given may differ from the files, so force a comparison at the first check
    const since = given === undefined ? state : { mark: "", newest: 0 };
    return new LiveKeyring(
      openKeyring(config.name, rules),
      source,
      rules,
      since,
      given === undefined ? null : new SealedLists(rules),
    );
  });
}

function blaming<T>({ place }: KeyringConfig, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof CountersignError ? error.within(place) : error;
  }
}
