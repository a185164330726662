import { AbsentBytes } from "../../absent-bytes.js";
import type { BytesOfRecord, SubjectContent } from "../../log/input-records.js";

/**
 * A subject from a log or from a request. In a replay its bytes have their length and no content: a policy gets their
 * content by calls of helpers alone, and these are answered from the record.
 */
export class RecordedSubject {
  readonly facts: object;
  readonly #paths = new Map<Uint8Array, string>();
  readonly #digests = new Map<Uint8Array, string>();
  /** By SHA-256, since facts with the same bytes can be the same object. */
  readonly #bytes = new Map<string, Uint8Array>();

  /** `bytesOf` returns the bytes with a SHA-256 and a length; `path` is that of the first fact that has them. */
  constructor(
    readonly content: SubjectContent,
    private readonly bytesOf: (recorded: BytesOfRecord, path: string) => Uint8Array = absentBytes,
  ) {
    this.facts = this.#restored(content.facts, "") as object;
  }

  /** The path of the first fact that has the bytes. */
  pathOf(bytes: Uint8Array): string {
    return this.#paths.get(bytes) ?? "";
  }

  sha256Of(bytes: Uint8Array): string {
    return this.#digests.get(bytes) ?? "";
  }

  #restored(value: unknown, path: string): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (isBytes(value)) return this.#bytesOf(value, path);
    const within = (key: string) => (path === "" ? key : `${path}.${key}`);
    if (Array.isArray(value))
      return Object.freeze(value.map((one, index) => this.#restored(one, within(String(index)))));
    const copy: Record<string, unknown> = {};
    for (const [key, one] of Object.entries(value)) {
      const restored = this.#restored(one, within(key));
      Object.defineProperty(copy, key, { value: restored, enumerable: true, writable: true, configurable: true });
    }
    return Object.freeze(copy);
  }

  #bytesOf(recorded: BytesOfRecord, path: string): Uint8Array {
    const { sha256 } = recorded;
    let bytes = this.#bytes.get(sha256);
    if (bytes === undefined) {
      bytes = this.bytesOf(recorded, path);
      this.#bytes.set(sha256, bytes);
      this.#paths.set(bytes, path);
      this.#digests.set(bytes, sha256);
    }
    return bytes;
  }
}

/** An object with exactly the fields that a log writes for bytes; no fact has these two alone. */
function isBytes(value: object): value is BytesOfRecord {
  return (
    Object.keys(value).length === 2 &&
    "sha256" in value &&
    typeof value.sha256 === "string" &&
    "length" in value &&
    Number.isSafeInteger(value.length) &&
    (value.length as number) >= 0
  );
}

/** The most bytes that a subject of a log may claim to have: those of the largest file that is read. */
const MAX_BYTES = 2 ** 30;

/** Throws RangeError if the bytes are more than a file can have. */
export function absentBytes({ sha256, length }: BytesOfRecord, path: string): Uint8Array {
  if (length > MAX_BYTES) throw new RangeError(`bytes of length ${length}`);
  return AbsentBytes.known(length, sha256, path);
}
