import { hash } from "node:crypto";
import type { RecordedRequest } from "../../config/recorded-request.js";
import type { RequestWithMaps } from "../../engine/timed-engine.js";
import { digestOfContent } from "../../log/definition.js";
import type { BytesOfRecord } from "../../log/input-records.js";
import { LruCache } from "../../lru-cache.js";
import { type Current, UNKNOWN_ANNOTATIONS } from "../../policy/model/current.js";
import type { Contents } from "../replay/recorded-inputs.js";
import { absentBytes, RecordedSubject } from "../replay/recorded-subject.js";

/** How many subjects are kept: the same are often asked about again, and policies then have their facts already. */
const MAX_SUBJECTS = 1024;
/** The length of the facts of those that are kept, as JSON text, and of their bytes together. */
const MAX_TEXT = 2 ** 16;
const MAX_BYTES = 2 ** 18;

/** Makes questions of requests that have all facts of a record. */
export class RecordedQuestions {
  readonly #subjects = new LruCache<string, object>(MAX_SUBJECTS);

  /** `contents` has bytes that a request has only by their digest; null for none. */
  constructor(private readonly contents: Contents | null) {}

  /**
   * Bytes that neither the request nor `contents` has are absent: a policy that needs them has the fault UNKNOWN_FACT.
   * Throws CONFIG_INVALID for facts that are not those of the kind, and for a subject that contradicts its definition
   * or its bytes.
   */
  question(request: RecordedRequest): RequestWithMaps {
    const { hook, time } = request;
    return { hook, subject: this.#subjectOf(request) as never, current: currentOf(request), time };
  }

  #subjectOf(request: RecordedRequest): object {
    const { subject, bytes, error } = request;
    const { kind, facts, definition } = subject;
    const text = JSON.stringify({ kind, facts });
    const digest = digestOfContent(text);
    if (definition !== undefined && definition !== digest)
      throw error(["subject", "definition"], `\`${definition}\` is not the digest of the subject, which is ${digest}`);
    const given = Object.entries(bytes);
    const key = given.length === 0 ? digest : `${digest} ${Object.keys(bytes).sort().join(" ")}`;
    const contents = given.map(([sha256, base64]) => [sha256, contentOf(sha256, base64, request)] as const);
    const known = this.#subjects.get(key);
    if (known !== undefined) return known;
    request.requireFacts();
    const made = this.#made(request, new Map(contents));
    const isSmall = contents.reduce((sum, [, { length }]) => sum + length, 0) <= MAX_BYTES;
    if (text.length <= MAX_TEXT && isSmall) this.#subjects.set(key, made);
    return made;
  }

  #made({ subject: { kind, facts }, error }: RecordedRequest, given: ReadonlyMap<string, Uint8Array>): object {
    const unused = new Set(given.keys());
    const bytesOf = (recorded: BytesOfRecord, path: string): Uint8Array => {
      const { sha256, length } = recorded;
      unused.delete(sha256);
      const found = given.get(sha256) ?? this.contents?.find(sha256) ?? null;
      if (found === null) return absentBytes(recorded, path);
      if (found.length === length) return found;
      const at = ["subject", "facts", ...path.split("."), "length"];
      throw error(at, `the bytes with this SHA-256 are ${found.length}, not ${length}`);
    };
    const restored = new RecordedSubject({ kind, facts }, bytesOf);
    const [other] = unused;
    if (other !== undefined) throw error(["bytes", other], "no fact has these bytes", "leave them out", "key");
    return restored.facts;
  }
}

function contentOf(sha256: string, base64: string, { error }: RecordedRequest): Uint8Array {
  const bytes = Buffer.from(base64, "base64");
  const found = hash("sha256", bytes);
  if (found === sha256) return bytes;
  throw error(["bytes", sha256], `these bytes have the SHA-256 ${found}`, "correct the bytes, or their key", "key");
}

function currentOf({ current }: RecordedRequest): Current {
  const { container } = current;
  if (container === null) return current as Current;
  return { ...current, container: { ...container, annotations: container.annotations ?? UNKNOWN_ANNOTATIONS } };
}
