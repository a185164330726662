import { describe, expect, it } from "vitest";
import { verdictName } from "../../../../src/errno.js";
import { element, integer, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../../../src/trust/asn1/oid.js";
import { writePem } from "../../../../src/trust/asn1/pem.js";
import { context, TAG } from "../../../../src/trust/asn1/tag.js";
import {
  Authority,
  distinguishedName,
  extension,
  type RevocationListRequest,
} from "../../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import type { Freshness } from "../../../../src/trust/path/revocation.js";
import { file, trusting } from "../../../support/trust.js";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);
const PERIOD = { notBefore: NOW - 10 * DAY, notAfter: NOW + 300 * DAY };
const root = Authority.create({ subject: "Root", ...PERIOD });
const signer = root.issue({ subject: "Signer", serial: 7n, ...PERIOD });
const data = Buffer.from("data");
const signature = signPkcs7(data, signer);
const current = { thisUpdate: NOW - DAY, nextUpdate: NOW + DAY };
const revoked = { entries: [{ serial: 7n, at: NOW - DAY }] };

function judge(
  crls: readonly (Buffer | string)[],
  freshness?: Freshness,
  at = NOW,
): { errno: string; rule: string | null; until: number } {
  const files = crls.map((crl, index) => file(`${index}.crl`, crl));
  const keyring = trusting([root.pem.certificate], {
    revoked: { crls: files, certificates: [], digests: [], freshness },
  });
  const { verdict, rule, until } = keyring.verify(data, signature, "PKCS7", at);
  return { errno: verdictName(verdict), rule, until };
}

describe("revocation lists", () => {
  it("revoke the certificates that they list, in PEM as in DER", () => {
    const list = root.revocationList({ ...current, ...revoked });
    for (const crl of [list, writePem("X509 CRL", list)])
      expect(judge([crl])).toMatchObject({ errno: "-EKEYREVOKED", rule: "RFC 5280 6.3.3 (j)" });
  });

  it("accept certificates that they do not list, until the next list is due", () => {
    expect(judge([root.revocationList({ ...current, entries: [{ serial: 8n }] })])).toMatchObject({
      errno: "0",
      until: NOW + DAY,
    });
  });

  it("are asked for where the keyring requires them, and have to be in their time", () => {
    expect(judge([], "require")).toMatchObject({ errno: "-EKEYREJECTED", rule: "RFC 5280 6.3.3" });
    expect(judge([root.revocationList(current)], "require").errno).toBe("0");
    expect(judge([root.revocationList(current)], "require", NOW + 2 * DAY)).toMatchObject({ errno: "-EKEYREJECTED" });
    expect(judge([root.revocationList(current)], "require", NOW - 2 * DAY)).toMatchObject({ errno: "-EKEYREJECTED" });
    expect(judge([root.revocationList({ ...current, nextUpdate: null })], "require").errno).toBe("-EKEYREJECTED");
  });

  it("that are out of their time still revoke, and no more than that, where they are not required", () => {
    expect(judge([root.revocationList({ ...current, ...revoked })], "if-present", NOW + 2 * DAY).errno).toBe(
      "-EKEYREVOKED",
    );
    expect(judge([root.revocationList(current)], "if-present", NOW + 2 * DAY).errno).toBe("0");
  });

  it("that are newer put right what older ones say", () => {
    const older = root.revocationList({ thisUpdate: NOW - 9 * DAY, nextUpdate: NOW - 2 * DAY, ...revoked });
    expect(judge([older, root.revocationList(current)]).errno).toBe("0");
  });

  it("by another key than the authority's do not count, and refuse rather than say nothing", () => {
    const other = new Authority({ ...root, key: Authority.create({ subject: "Other" }).key });
    expect(judge([other.revocationList(current)])).toMatchObject({ errno: "-EKEYREJECTED", rule: "RFC 5280 6.3.3" });
  });

  it("with an unknown critical extension are not used", () => {
    const unknown = extension("\x2a\x03", integer(1), true);
    expect(judge([root.revocationList({ ...current, extensions: [unknown] })])).toMatchObject({
      errno: "-EKEYREJECTED",
    });
    expect(
      judge([root.revocationList({ ...current, entries: [{ serial: 9n, extensions: [unknown] }] })]),
    ).toMatchObject({ errno: "-EKEYREJECTED" });
  });

  it("come with deltas, which take certificates in and let them go again", () => {
    const base = root.revocationList({ ...current, number: 5 });
    const held = root.revocationList({ ...current, number: 5, entries: [{ serial: 7n, extensions: [reason(6)] }] });
    const indicator = extension(EXTENSION.deltaCrlIndicator, integer(5), true);
    const delta = (code: number): Buffer =>
      root.revocationList({
        ...current,
        number: 6,
        extensions: [indicator],
        entries: [{ serial: 7n, extensions: [reason(code)] }],
      });
    expect(judge([base, delta(1)]).errno).toBe("-EKEYREVOKED");
    expect(judge([held]).errno).toBe("-EKEYREVOKED");
    expect(judge([held, delta(8)]).errno).toBe("0");
  });

  it("that are deltas without a matching base still revoke the certificates that they list", { tags: ["deep"] }, () => {
    const base = root.revocationList({ ...current, number: 5 });
    const delta = (over: number, code: number, request: RevocationListRequest = {}): Buffer =>
      root.revocationList({
        ...current,
        number: over + 1,
        extensions: [extension(EXTENSION.deltaCrlIndicator, integer(over), true)],
        entries: [{ serial: 7n, extensions: [reason(code)] }],
        ...request,
      });
    const past = { thisUpdate: NOW - 5 * DAY, nextUpdate: NOW - 4 * DAY };
    const coming = { thisUpdate: NOW + DAY, nextUpdate: NOW + 2 * DAY };
    for (const freshness of ["if-present", "require"] as const) {
      for (const lists of [[delta(5, 1)], [base, delta(9, 1)], [base, delta(5, 1, coming)]])
        expect(judge(lists, freshness).errno).toBe("-EKEYREVOKED");
      expect(judge([delta(5, 8)], freshness).errno).toBe(freshness === "require" ? "-EKEYREJECTED" : "0");
    }
    expect(judge([root.revocationList({ ...past, number: 5 }), delta(5, 1, { ...past, number: 7 })]).errno).toBe(
      "-EKEYREVOKED",
    );
    // A complete list that is newer has the delta's entries, or has let them go
    expect(judge([base, delta(3, 1, past)]).errno).toBe("0");
  });

  it("end only a hold, and only by a delta", { tags: ["deep"] }, () => {
    const entry = (...codes: readonly number[]) =>
      codes.map((code) => ({ serial: 7n, at: NOW - DAY, extensions: [reason(code)] }));
    const list = (...codes: readonly number[]): Buffer =>
      root.revocationList({ ...current, number: 5, entries: entry(...codes) });
    const delta = (number: number, code: number, request: RevocationListRequest = {}): Buffer =>
      root.revocationList({
        ...current,
        number,
        extensions: [extension(EXTENSION.deltaCrlIndicator, integer(5), true)],
        entries: entry(code),
        ...request,
      });
    expect(judge([list(6), delta(6, 8)]).errno).toBe("0");
    expect(judge([list(6), delta(6, 8, { nextUpdate: NOW - DAY / 2 })]).errno).toBe("-EKEYREVOKED");
    for (let code = 0; code <= 10; code++) {
      if (code !== 6) expect(judge([list(code), delta(6, 8)]).errno).toBe("-EKEYREVOKED");
      // Two entries about one certificate, in either order
      expect(judge([list(8, code)]).errno).toBe("-EKEYREVOKED");
      if (code !== 6 && code !== 8) {
        expect(judge([list(6, code), delta(6, 8)]).errno).toBe("-EKEYREVOKED");
        expect(judge([list(code, 6), delta(6, 8)]).errno).toBe("-EKEYREVOKED");
      }
    }
    expect(judge([list(), delta(6, 6), delta(7, 8)]).errno).toBe("0");
    expect(judge([list(), delta(6, 1), delta(7, 8)]).errno).toBe("-EKEYREVOKED");
    expect(judge([list(), delta(6, 8), delta(7, 6)]).errno).toBe("-EKEYREVOKED");
  });

  it("are not replaced by older ones if the newest has an unknown critical extension", () => {
    const unknown = extension("\x2a\x03", integer(1), true);
    const older = root.revocationList({ ...current, thisUpdate: NOW - 2 * DAY });
    const newest = (serial: bigint): Buffer =>
      root.revocationList({ ...current, number: 2, extensions: [unknown], entries: [{ serial, at: NOW - DAY }] });
    expect(judge([older]).errno).toBe("0");
    expect(judge([older, newest(7n)]).errno).toBe("-EKEYREVOKED");
    expect(judge([older, newest(8n)])).toMatchObject({ errno: "-EKEYREJECTED", rule: "RFC 5280 6.3.3" });
    const entry = [{ serial: 8n, at: NOW - DAY, extensions: [unknown] }];
    expect(judge([older, root.revocationList({ ...current, entries: entry })]).errno).toBe("-EKEYREJECTED");
    const newer = root.revocationList({ ...current, thisUpdate: NOW - DAY / 2 });
    expect(judge([newest(8n), newer]).errno).toBe("0");
  });

  it("that are not valid yet revoke the certificates that they list, whatever older lists say", () => {
    const coming = { thisUpdate: NOW + DAY, nextUpdate: NOW + 2 * DAY };
    expect(judge([root.revocationList(current), root.revocationList({ ...coming, ...revoked })]).errno).toBe(
      "-EKEYREVOKED",
    );
  });

  it("speak only of the kind of certificate that they say", () => {
    const scope = (tag: number): Buffer =>
      extension(EXTENSION.issuingDistributionPoint, sequence(element(context(tag, false), Buffer.of(0xff))), true);
    expect(judge([root.revocationList({ ...current, ...revoked, extensions: [scope(2)] })]).errno).toBe("0");
    expect(judge([root.revocationList({ ...current, ...revoked, extensions: [scope(1)] })]).errno).toBe("-EKEYREVOKED");
  });

  it("may be another's, where the certificate names who issues them and that certificate is with them", () => {
    const name = distinguishedName("CRL issuer");
    const point = sequence(sequence(element(context(2, true), element(context(4, true), name))));
    const leaf = root.issue({
      subject: "Leaf",
      serial: 70n,
      extensions: [extension(EXTENSION.crlDistributionPoints, point)],
      ...PERIOD,
    });
    const issuer = new Authority(root.issue({ subject: "CRL issuer", keyUsage: [6], usage: null, ...PERIOD }));
    const indirect = extension(
      EXTENSION.issuingDistributionPoint,
      sequence(element(context(4, false), Buffer.of(0xff))),
      true,
    );
    const certificateIssuer = extension(
      EXTENSION.certificateIssuer,
      sequence(element(context(4, true), root.certificate.subject.element.whole)),
      true,
    );
    const list = (serial: bigint): string =>
      writePem(
        "X509 CRL",
        issuer.revocationList({
          ...current,
          extensions: [indirect],
          entries: [{ serial, extensions: [certificateIssuer] }],
        }),
      );
    const verdict = (crl: string): string => {
      const keyring = trusting([root.pem.certificate], {
        revoked: { crls: [file("crl", crl)], certificates: [], digests: [] },
      });
      return verdictName(keyring.verify(data, signPkcs7(data, leaf), "PKCS7", NOW).verdict);
    };
    expect(verdict(list(70n) + issuer.pem.certificate)).toBe("-EKEYREVOKED");
    expect(verdict(list(71n) + issuer.pem.certificate)).toBe("0");
    expect(verdict(list(70n))).toBe("-EKEYREJECTED");
  });

  it("that cannot be read keep a keyring from opening, with their file", () => {
    const cut = root.revocationList(current).subarray(0, -1);
    expect(() => judge([cut])).toThrow(
      expect.objectContaining({ code: "CRL_MALFORMED", place: "keyring `test`: 0.crl: byte 0" }),
    );
  });
});

/** CRLReason. */
function reason(code: number): Buffer {
  return extension(EXTENSION.crlReason, element(TAG.enumerated, Buffer.of(code)));
}
