import { Certificate } from "./certificate.js";
import type { Element } from "./der.js";

/**
 * Certificates by their bytes: the same bytes give the same object, which keeps its imported key and what was found out about it. It is
 * found by its last bytes and then compared whole.
 */
export class CertificateCache {
  readonly #permanent = new Map<number, Certificate>();
  readonly #passing = new Map<number, Certificate>();

  /** These stay for as long as the cache. */
  constructor(permanent: readonly Certificate[]) {
    for (const certificate of permanent) this.#permanent.set(keyOf(certificate.element), certificate);
  }

  /** Throws DER_MALFORMED. The bytes are copied where they are kept. */
  get(element: Element): Certificate {
    const key = keyOf(element);
    const anchor = this.#permanent.get(key);
    if (anchor?.element.equals(element)) return anchor;
    const seen = this.#passing.get(key);
    if (seen?.element.equals(element)) return seen;
    const certificate = new Certificate(Buffer.from(element.whole));
    if (this.#passing.size >= MAX_PASSING) this.#passing.delete(this.#passing.keys().next().value as number);
    this.#passing.set(key, certificate);
    return certificate;
  }
}

const MAX_PASSING = 4096;

/** The last bytes of a certificate are those of its signature. */
function keyOf({ bytes, start, end }: Element): number {
  return end - start < 6 ? 0 : bytes.readUIntLE(end - 6, 6);
}
