import type { Certificate } from "./certificate.js";
import type { Name } from "./name.js";

/** Finds certificates by subject, by issuer and serial number, and by key identifier, each in constant time. */
export class CertificateIndex {
  readonly #bySubject = new Map<string, Certificate[]>();
  readonly #byIdentity = new Map<string, Certificate[]>();
  readonly #byKeyIdentifier = new Map<string, Certificate[]>();
  readonly #issuers = new WeakMap<Certificate, readonly Certificate[]>();

  constructor(readonly all: readonly Certificate[] = []) {
    for (const certificate of all) {
      append(this.#bySubject, certificate.subject.key, certificate);
      append(this.#byIdentity, certificate.identity, certificate);
      if (certificate.subjectKeyIdentifier !== null)
        append(this.#byKeyIdentifier, certificate.subjectKeyIdentifier, certificate);
    }
  }

  bySubject(name: Name): readonly Certificate[] {
    return this.#bySubject.get(name.key) ?? [];
  }

  /**
   * Certificates that may have issued another. If both have a key identifier (RFC 5280 4.2.1.1), these must be equal.
   */
  candidatesFor({ issuer, authorityKeyIdentifier: wanted }: Certificate): readonly Certificate[] {
    const named = this.bySubject(issuer);
    if (wanted === null) return named;
    return named.filter(({ subjectKeyIdentifier: found }) => found === null || found === wanted);
  }

  /**
   * The other certificates here whose keys signed this one. The result is cached, so call this only for the
   * certificates of a keyring, of which there are few.
   */
  issuersOf(certificate: Certificate): readonly Certificate[] {
    let issuers = this.#issuers.get(certificate);
    if (issuers === undefined) {
      issuers = this.candidatesFor(certificate).filter(
        (issuer) => !issuer.sameHolder(certificate) && certificate.signedBy(issuer.publicKey) === null,
      );
      this.#issuers.set(certificate, issuers);
    }
    return issuers;
  }

  /** The certificate here with the same bytes, or null. */
  find(certificate: Certificate): Certificate | null {
    return this.byIdentity(certificate.identity).find((known) => known.element.equals(certificate.element)) ?? null;
  }

  /** `identity` as {@link Certificate.identity}. */
  byIdentity(identity: string): readonly Certificate[] {
    return this.#byIdentity.get(identity) ?? [];
  }

  byKeyIdentifier(identifier: string): readonly Certificate[] {
    return this.#byKeyIdentifier.get(identifier) ?? [];
  }
}

function append(map: Map<string, Certificate[]>, key: string, certificate: Certificate): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [certificate]);
  else list.push(certificate);
}
