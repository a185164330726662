import { Authority, type Issued } from "../../trust/issuing/authority.js";
import { signPkcs7 } from "../../trust/issuing/sign-cms.js";
import type { SignatureState } from "./signature-state.js";
import type { SignedItem } from "./signed-item.js";

/** Names that the facts about a signer have; null for any. */
export interface WantedSigner {
  readonly subject: string | null;
  readonly issuer: string | null;
}

/** A new key, with a certificate by a new authority, that signs one item. */
export class TestSigner {
  readonly authority: Authority;
  readonly issued: Issued;

  constructor(
    private readonly item: SignedItem,
    private readonly kind: SignatureState["kind"],
    { subject, issuer }: WantedSigner,
  ) {
    this.authority = Authority.create({ subject: commonName(issuer) ?? `test authority (${item})`, key: "p-256" });
    const validity = kind === "expired" ? { notBefore: Date.now() - 2 * DAY, notAfter: Date.now() - DAY } : {};
    this.issued = this.authority.issue({ subject: commonName(subject) ?? `test signer (${item})`, ...validity });
  }

  /** The signature of the item, as it is to be: a detached CMS signature, or bytes that are none. */
  sign(data: Uint8Array): Buffer {
    if (this.kind === "malformed") return Buffer.from(`no signature of the ${this.item}\n`);
    return signPkcs7(this.kind === "of other data" ? Buffer.from("other data") : data, this.issued);
  }
}

const DAY = 24 * 3_600_000;

/** The common name of a name that has only that; null for others. */
function commonName(name: string | null): string | null {
  return name === null ? null : (/^CN=([\w@.: -]+)$/.exec(name)?.[1] ?? null);
}
