import { LruCache } from "../lru-cache.js";
import { digestOfContent } from "./definition.js";
import {
  type ConfigurationContent,
  DEFINITION_TYPES,
  type DefinitionType,
  type Digest,
  type InputRecord,
  type InputsDecisionRecord,
  type StartRecord,
} from "./input-records.js";
import { type ReadRecord, recordIn } from "./read-record.js";
import { contradicts, type Find, isComplete, resolved } from "./resolved-record.js";

type DefinitionRecord = Extract<InputRecord, { readonly digest: Digest }>;
type DefinitionOf<Type extends DefinitionType> = Extract<DefinitionRecord, { readonly type: Type }>;

/** What a line of a log is. `damage` says what is wrong with it; the record may be there nevertheless. */
export interface ReadLine {
  /** Null if the line is no record, or one of another version. A decision has what its definitions have. */
  readonly record: ReadRecord | null;
  /** The same decision with its references; null for any other record, and for one of level `decision`. */
  readonly inputs: InputsDecisionRecord | null;
  readonly damage: Damage | null;
}

/**
 * - `not-json`: the line is cut, or no record. A record that follows an incomplete one in the same line is read.
 * - `other-version`: a record of a later version, or without a version.
 * - `wrong-digest`: a definition whose content does not have its digest. It is not used.
 * - `missing`: a decision refers to a definition that is not in the log before it.
 * - `contradiction`: a decision about another subject than its definition says. It is not made again.
 * - `duplicate-id`: the log has another decision with this id before it, not more than {@link KEPT_IDS} decisions ago.
 */
export type Damage = "not-json" | "other-version" | "wrong-digest" | "missing" | "contradiction" | "duplicate-id";

/**
 * Reads the lines of a log in their order and gives each decision what its definitions have. A definition can be from
 * any writer, and its digest is computed again.
 */
export class RecordReader {
  readonly #definitions: LruCache<Digest, DefinitionRecord>;
  readonly #writers: LruCache<string, StartRecord>;
  /** Ids of decisions: the last ones, and those before them. */
  #ids = new Set<string>();
  #idsBefore = new Set<string>();

  /** `most`: the number of definitions to keep, which a reader without an end must limit. */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#definitions = new LruCache(most);
    this.#writers = new LruCache(most);
  }

  /** Reads a line, without its line feed. Does not throw. */
  read(line: string): ReadLine {
    const { record, problem } = recordIn(line);
    const damage = problem === null ? null : problem.code === "LOG_VERSION" ? "other-version" : "not-json";
    return record === null ? { record, inputs: null, damage } : this.take(record, damage);
  }

  /** The definition with a digest; null if the log did not have it so far. */
  definition<Type extends DefinitionType>(type: Type, digest: Digest): DefinitionOf<Type> | null {
    const found = this.#definitions.get(digest);
    return found?.type === type ? (found as DefinitionOf<Type>) : null;
  }

  /** The record of the writer that a configuration names; null if the log did not have it so far. */
  writerOf({ writer }: ConfigurationContent): StartRecord | null {
    return this.#writers.get(writer) ?? null;
  }

  /** The same for the record of a line that has been parsed. `before` is what is wrong with the line. */
  take(record: ReadRecord, before: Damage | null = null): ReadLine {
    const { type } = record;
    if (type === "start") {
      const start = record as unknown as StartRecord;
      if (typeof start.writer === "string") this.#writers.set(start.writer, start);
      return { record, inputs: null, damage: before };
    }
    if ((DEFINITION_TYPES as readonly unknown[]).includes(type)) {
      const defined = record as unknown as DefinitionRecord;
      if (digestOfContent(JSON.stringify(defined.content) ?? "") !== defined.digest)
        return { record, inputs: null, damage: "wrong-digest" };
      this.#definitions.set(defined.digest, defined);
      return { record, inputs: null, damage: before };
    }
    if (type !== "decision") return { record, inputs: null, damage: before };
    const repeated = this.#isRepeated(record) ? "duplicate-id" : null;
    const inputs = record as unknown as InputsDecisionRecord;
    if (typeof inputs.configuration !== "string") return { record, inputs: null, damage: before ?? repeated };
    const missing = isComplete(inputs, this.#find) ? null : "missing";
    const contradiction = contradicts(inputs, this.#find) ? "contradiction" : null;
    return new DecisionLine(inputs, before ?? contradiction ?? repeated ?? missing, this.#find);
  }

  readonly #find = (type: DefinitionType, digest: Digest) => this.definition(type, digest);

  #isRepeated({ id }: ReadRecord): boolean {
    if (typeof id !== "string") return false;
    if (this.#ids.has(id) || this.#idsBefore.has(id)) return true;
    this.#ids.add(id);
    if (this.#ids.size < KEPT_IDS) return false;
    this.#idsBefore = this.#ids;
    this.#ids = new Set();
    return false;
  }
}

/**
 * Number of decisions for which a second one with the same id is found: at least as many, and at most twice. Ids begin
 * with the time, and writers append to a file as they decide, so that one that is written twice is near the first.
 */
const KEPT_IDS = 65_536;

/** A decision whose record is made when it is first asked for: a replay compares most decisions by `inputs` alone. */
class DecisionLine implements ReadLine {
  #record: ReadRecord | null = null;

  constructor(
    readonly inputs: InputsDecisionRecord,
    readonly damage: Damage | null,
    private readonly find: Find,
  ) {}

  get record(): ReadRecord {
    this.#record ??= resolved(this.inputs, this.find);
    return this.#record;
  }
}
