import type { Element } from "../asn1/der.js";
import { Certificate } from "./certificate.js";

/**
 * Certificates by their bytes: the same bytes give the same object, which keeps its imported key and what was found out about it. It is
 * found by its last bytes and then compared whole.
 */
export class CertificateCache {
  readonly #permanent = new Map<number, Certificate>();
  /** Those that signatures carried, the newer and the older half: a half is forgotten at once. */
  #newer = new Map<number, Certificate>();
  #older = new Map<number, Certificate>();

  /** These stay for as long as the cache. */
  constructor(permanent: readonly Certificate[]) {
    for (const certificate of permanent) this.#permanent.set(keyOf(certificate.element), certificate);
  }

  /** Throws DER_MALFORMED. The bytes are copied where they are kept. */
  get(element: Element): Certificate {
    const key = keyOf(element);
    const anchor = this.#permanent.get(key);
    if (anchor?.element.equals(element)) return anchor;
    const seen = this.#newer.get(key);
    if (seen?.element.equals(element)) return seen;
    const old = this.#older.get(key);
    const certificate = old?.element.equals(element) ? old : new Certificate(Buffer.from(element.whole));
    if (this.#newer.size >= HALF) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, certificate);
    return certificate;
  }
}

const HALF = 1024;

/** The last bytes of a certificate are those of its signature. */
function keyOf({ bytes, start, end }: Element): number {
  return end - start < 4 ? 0 : bytes.readInt32LE(end - 4);
}
