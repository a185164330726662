import type { Certificate } from "./certificate.js";
import type { Name } from "./name.js";

/** Certificates found by what others call them by, each in constant time: subject, issuer and serial number, key identifier. */
export class CertificateIndex {
  readonly #bySubject = new Map<string, Certificate[]>();
  readonly #byIdentity = new Map<string, Certificate[]>();
  readonly #byKeyIdentifier = new Map<string, Certificate[]>();

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

  /** Whether this very certificate is here. */
  has(certificate: Certificate): boolean {
    return this.byIdentity(certificate.identity).some((known) => known.element.equals(certificate.element));
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
