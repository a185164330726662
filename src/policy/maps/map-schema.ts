import { type Breach, type ValueCheck, type ValueSchema, valueCheck } from "./value-schema.js";

/** What the keys of a map may be: one of a list, or a number of bytes in lower-case hex digits. */
export type KeySchema = { readonly enum: readonly string[] } | { readonly hex: number };

/** The schema of a map, as the configuration has it. Plain data. */
export interface MapSchemaRules {
  readonly values?: ValueSchema | undefined;
  readonly keys?: KeySchema | undefined;
}

/** A breach of a map's schema; `what` says whether `path` leads to a key or into its value. */
export interface EntryBreach extends Breach {
  readonly what: "key" | "value";
}

/** The schema of a map, prepared to check entries. */
export class MapSchema {
  readonly #value: ValueCheck;
  readonly #isKey: (key: string) => boolean;
  readonly #keyFlaw: string;

  constructor({ values, keys }: MapSchemaRules) {
    this.#value = values === undefined ? () => null : valueCheck(values);
    if (keys === undefined) {
      this.#isKey = () => true;
      this.#keyFlaw = "";
    } else if ("enum" in keys) {
      const listed = new Set(keys.enum);
      this.#isKey = (key) => listed.has(key);
      this.#keyFlaw = "is none of the keys of `enum`";
    } else {
      const { hex } = keys;
      this.#isKey = (key) => key.length === 2 * hex && HEX.test(key);
      this.#keyFlaw = `is not ${hex} bytes as lower-case hex digits (\`hex\`)`;
    }
  }

  /** What in an entry breaks the schema; null if nothing does. */
  breach(key: string, value: unknown): EntryBreach | null {
    if (!this.#isKey(key)) return { what: "key", path: [key], flaw: this.#keyFlaw };
    const found = this.#value(value);
    return found === null ? null : { what: "value", path: [key, ...found.path], flaw: found.flaw };
  }

  /** What in the first entry that breaks the schema does so; null if no entry does. */
  firstBreach(entries: Readonly<Record<string, unknown>>): EntryBreach | null {
    for (const [key, value] of Object.entries(entries)) {
      const found = this.breach(key, value);
      if (found !== null) return found;
    }
    return null;
  }
}

const HEX = /^[0-9a-f]*$/;
