import { Cursor, type Element, malformed } from "../asn1/der.js";
import { readNamedBits } from "../asn1/der-value.js";
import { sequence, setOf } from "../asn1/der-writer.js";
import { context, TAG } from "../asn1/tag.js";
import { type Extension, readDefaultFalse } from "./extension.js";
import { type GeneralName, readGeneralNames } from "./general-name.js";
import { MAX_PARTS, type Name, readName } from "./name.js";

/** All reasons for a revocation, as a bit set (RFC 5280 4.2.1.13, ReasonFlags 1 to 8). */
export const ALL_REASONS = 0b1_1111_1110;

/** DistributionPoint (RFC 5280 4.2.1.13): where the CRLs for a certificate are published. */
export interface DistributionPoint {
  /**
   * Null if absent. A name that is relative to an issuer is put together anew at each call, since a certificate may
   * have thousands of them, each of which would hold a copy of the issuer's name.
   */
  readonly names: () => readonly GeneralName[] | null;
  readonly reasons: number;
  /** The CRL's issuer, if it is not the certificate's. */
  readonly crlIssuer: readonly GeneralName[] | null;
}

/** IssuingDistributionPoint (RFC 5280 5.2.5): the scope of a CRL. */
export interface IssuingDistributionPoint {
  readonly names: readonly GeneralName[] | null;
  readonly onlyUsers: boolean;
  readonly onlyAuthorities: boolean;
  readonly reasons: number;
  readonly indirect: boolean;
  readonly onlyAttributes: boolean;
  /** The extension's bytes: a delta CRL and its base must have equal ones. */
  readonly key: string;
}

/** `issuer` is the certificate's issuer, to which relative names are relative. Throws DER_MALFORMED. */
export function readDistributionPoints(extension: Extension, issuer: Name): readonly DistributionPoint[] {
  const points: DistributionPoint[] = [];
  const cursor = extension.value.only(TAG.sequence, "CRL distribution points").check().open();
  if (cursor.done) throw malformed("an empty list of CRL distribution points", extension.value.start);
  while (!cursor.done) {
    const fields = cursor.take(TAG.sequence, "a distribution point").open();
    const name = fields.optional(context(0, true));
    const reasons = fields.optional(context(1, false));
    const crlIssuer = fields.optional(context(2, true));
    fields.finish("a distribution point");
    // RFC 5280 4.2.1.13: a point must not consist of reasons only
    if (name === null && crlIssuer === null)
      throw malformed("a distribution point that names nothing", extension.value.start);
    const issuers = crlIssuer === null ? null : readGeneralNames(crlIssuer.open());
    points.push({
      names: name === null ? () => null : readPointName(name, directoriesIn(issuers ?? [])[0] ?? issuer),
      reasons: reasons === null ? ALL_REASONS : readNamedBits(reasons) & ALL_REASONS,
      crlIssuer: issuers,
    });
  }
  return points;
}

/** `issuer` is the CRL's. Throws DER_MALFORMED. */
export function readIssuingDistributionPoint(extension: Extension, issuer: Name): IssuingDistributionPoint {
  const cursor = extension.value.only(TAG.sequence, "an issuing distribution point").check().open();
  const name = cursor.optional(context(0, true));
  const onlyUsers = readDefaultFalse(cursor, "onlyContainsUserCerts", context(1, false));
  const onlyAuthorities = readDefaultFalse(cursor, "onlyContainsCACerts", context(2, false));
  const reasons = cursor.optional(context(3, false));
  const indirect = readDefaultFalse(cursor, "indirectCRL", context(4, false));
  const onlyAttributes = readDefaultFalse(cursor, "onlyContainsAttributeCerts", context(5, false));
  cursor.finish("an issuing distribution point");
  return {
    names: name === null ? null : readPointName(name, issuer)(),
    onlyUsers,
    onlyAuthorities,
    reasons: reasons === null ? ALL_REASONS : readNamedBits(reasons) & ALL_REASONS,
    indirect,
    onlyAttributes,
    key: extension.value.key,
  };
}

/** The directory names in a list of names. */
export function directoriesIn(names: readonly GeneralName[]): readonly Name[] {
  return names.flatMap((name) => (name.kind === "directory" ? [name.value] : []));
}

/** DistributionPointName: full names, or a name relative to the issuer. */
function readPointName(field: Element, issuer: Name): () => readonly GeneralName[] {
  const cursor = field.open();
  const full = cursor.optional(context(0, true));
  const relative = full === null ? cursor.take(context(1, true), "a distribution point's name") : null;
  cursor.finish("a distribution point's name");
  if (full !== null) {
    const names = readGeneralNames(full.open());
    return () => names;
  }
  const last = setOf([(relative as Element).contents]);
  checkBelow(issuer, last);
  return () => [{ kind: "directory", value: nameFrom(issuer.element.contents, last) }];
}

/** Checks that a name of one more part than the issuer's has is well-formed. Throws DER_MALFORMED. */
function checkBelow(issuer: Name, last: Buffer): void {
  nameFrom(last);
  if (issuer.attributes.length >= MAX_PARTS) nameFrom(issuer.element.contents, last);
}

function nameFrom(...parts: readonly Buffer[]): Name {
  const name = sequence(...parts);
  return readName(new Cursor(name, 0, name.length), "a name");
}
