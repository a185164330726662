import { LruCache } from "../../lru-cache.js";
import type { Element } from "../asn1/der.js";
import { Certificate } from "./certificate.js";

/**
 * A cache of certificates: equal bytes give the same object, which keeps its imported key and its cached results. The
 * lookup key is the last four bytes; all bytes are then compared.
 */
export class CertificateCache {
  readonly #permanent = new Map<number, Certificate>();
  /** Certificates from signatures. */
  readonly #carried = new LruCache<number, Certificate>(MAX_CARRIED);

  /** `permanent` certificates are never evicted. */
  constructor(permanent: readonly Certificate[]) {
    for (const certificate of permanent) this.#permanent.set(keyOf(certificate.element), certificate);
  }

  /** Throws DER_MALFORMED. The bytes of a new certificate are copied. */
  get(element: Element): Certificate {
    const key = keyOf(element);
    const anchor = this.#permanent.get(key);
    if (anchor?.element.equals(element)) return anchor;
    const seen = this.#carried.get(key);
    if (seen?.element.equals(element)) return seen;
    const certificate = new Certificate(Buffer.from(element.whole));
    this.#carried.set(key, certificate);
    return certificate;
  }
}

const MAX_CARRIED = 2048;

/** The last bytes of a certificate belong to its signature, so they are close to random. */
function keyOf({ bytes, start, end }: Element): number {
  return end - start < 4 ? 0 : bytes.readInt32LE(end - 4);
}
