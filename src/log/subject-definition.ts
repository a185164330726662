import { hash } from "node:crypto";
import { AbsentBytes } from "../absent-bytes.js";
import type { Defined } from "./definition.js";
import { digestOfContent } from "./definition.js";
import type { BytesOfRecord } from "./input-records.js";
import type { Mask } from "./mask.js";

/** The definition of a subject, and where its bytes are. */
export interface SubjectDefinition extends Defined {
  /** Paths of facts, such as `object.data`, by the bytes; of several paths with the same bytes the first. */
  readonly paths: ReadonlyMap<Uint8Array, string>;
  /** SHA-256 of bytes. */
  readonly digests: ReadonlyMap<Uint8Array, string>;
}

/** Makes the definitions of subjects. A subject is an object that is not changed, so it is known by its identity. */
export class SubjectDefinitions {
  readonly #known = new WeakMap<object, SubjectDefinition>();

  constructor(private readonly mask: Mask) {}

  of(kind: string, subject: object): SubjectDefinition {
    let known = this.#known.get(subject);
    if (known === undefined) {
      known = this.#define(kind, subject);
      this.#known.set(subject, known);
    }
    return known;
  }

  #define(kind: string, subject: object): SubjectDefinition {
    const paths = new Map<Uint8Array, string>();
    const digests = new Map<Uint8Array, string>();
    const facts = plain(subject, "", paths, digests) as object;
    const masked = this.mask.apply("subject", facts);
    const digest = digestOfContent(JSON.stringify({ kind, facts }));
    const content = () => {
      const again = plain(subject, "", new Map(), new Map(digests)) as object;
      this.mask.apply("subject", again);
      return JSON.stringify({ kind, facts: again });
    };
    return { type: "subject", digest, content, masked, paths, digests };
  }
}

/** A copy with digests instead of bytes. Adds the paths and digests of the bytes to the maps. */
function plain(
  value: unknown,
  path: string,
  paths: Map<Uint8Array, string>,
  digests: Map<Uint8Array, string>,
): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) {
    if (!paths.has(value)) paths.set(value, path);
    let sha256 = digests.get(value);
    if (sha256 === undefined) {
      sha256 = value instanceof AbsentBytes ? value.sha256 : hash("sha256", value);
      digests.set(value, sha256);
    }
    return { sha256, length: value.length } satisfies BytesOfRecord;
  }
  const within = (key: string) => (path === "" ? key : `${path}.${key}`);
  if (Array.isArray(value)) return value.map((one, index) => plain(one, within(String(index)), paths, digests));
  const copy: Record<string, unknown> = {};
  for (const [key, one] of Object.entries(value)) {
    const its = plain(one, within(key), paths, digests);
    // An own key `__proto__` stays an own key
    if (key === "__proto__") Object.defineProperty(copy, key, { value: its, enumerable: true, configurable: true });
    else copy[key] = its;
  }
  return copy;
}
