// @module-tag deep
/** Revocation lists of many certificates: they are read in proportion to their size, in PEM as in DER. */

import { describe, expect, it } from "vitest";
import { verdictName } from "../../src/errno.js";
import { element, sequence } from "../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../src/trust/asn1/oid.js";
import { writePem } from "../../src/trust/asn1/pem.js";
import { context, TAG } from "../../src/trust/asn1/tag.js";
import { Authority, distinguishedName, extension } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { shareOf } from "../support/share.js";
import { file, trusting } from "../support/trust.js";
import { worked } from "../support/work.js";

const NOW = Date.now();
const COUNT = shareOf(100_000);
const root = Authority.create({ subject: "Root" });
const first = 0x4000_0000_0000_0000_0000_0000_0000_0000n;
const last = root.issue({ subject: "Last", serial: first + BigInt(COUNT - 1) });
const another = root.issue({ subject: "Another", serial: first + BigInt(COUNT) });
const data = Buffer.from("instructions");

const reason = (code: number): Buffer => extension(EXTENSION.crlReason, element(TAG.enumerated, Buffer.of(code)));
const issuerOf = (name: Buffer): Buffer =>
  extension(EXTENSION.certificateIssuer, sequence(element(context(4, true), name)), true);
const others = Array.from({ length: 500 }, (_, index) => issuerOf(distinguishedName(`Authority ${index}`)));
const own = issuerOf(root.certificate.subject.element.whole);
const indirect = extension(
  EXTENSION.issuingDistributionPoint,
  sequence(element(context(4, false), Buffer.of(0xff))),
  true,
);

const LISTS: Readonly<Record<string, { of: (index: number) => readonly Buffer[]; list?: readonly Buffer[] }>> = {
  "without extensions": { of: () => [] },
  "with reasons": { of: (index) => [reason(index % 6)] },
  "of five hundred authorities": {
    of: (index) => [reason(1), index === COUNT - 1 ? own : others[index % 500]!],
    list: [indirect],
  },
};

describe.each(Object.entries(LISTS))(`a list of ${COUNT} entries %s`, (_name, { of, list = [] }) => {
  const der = root.revocationList({
    thisUpdate: NOW - 1000,
    nextUpdate: NOW + 86_400_000,
    extensions: list,
    entries: Array.from({ length: COUNT }, (_, index) => ({
      serial: first + BigInt(index),
      at: NOW - 1000,
      extensions: of(index),
    })),
  });

  it.each([
    ["DER", der],
    ["PEM", Buffer.from(writePem("X509 CRL", der))],
  ])("is read in %s with work in proportion to it, and finds the last", (_form, bytes) => {
    const crls = [file("list", bytes)];
    const { result: keyring, blocks } = worked(() =>
      trusting([root.pem.certificate], { revoked: { crls, certificates: [], digests: [] } }),
    );
    expect(blocks / COUNT).toBeLessThan(MOST_BLOCKS_AN_ENTRY);
    const verdict = (by: typeof last): string =>
      verdictName(keyring.verify(data, signPkcs7(data, by), "PKCS7", NOW).verdict);
    expect(verdict(last)).toBe("-EKEYREVOKED");
    expect(verdict(another)).toBe("0");
  });
});

/** Each byte of an entry's times and headers is looked at. */
const MOST_BLOCKS_AN_ENTRY = 400;
