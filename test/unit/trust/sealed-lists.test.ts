import { describe, expect, it } from "vitest";
import { ERRNO, verdictName } from "../../../src/errno.js";
import { element, integer, sequence } from "../../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../../src/trust/asn1/oid.js";
import { writePem } from "../../../src/trust/asn1/pem.js";
import { context, TAG } from "../../../src/trust/asn1/tag.js";
import { Authority, extension, type RevocationListRequest } from "../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../src/trust/issuing/sign-cms.js";
import { type KeyringRules, openKeyring } from "../../../src/trust/keyring.js";
import { SealedLists } from "../../../src/trust/sealed-lists.js";
import { file } from "../../support/trust.js";

const NOW = Date.now();
const root = Authority.create({ subject: "Root" });
const other = Authority.create({ subject: "Other" });
const between = root.subordinate({ subject: "Between" });
const signer = root.issue({ subject: "Signer", serial: 7n });
const below = between.issue({ subject: "Below", serial: 7n });
const data = Buffer.from("data");
const revoked = { entries: [{ serial: 7n, at: NOW - 3_600_000 }] };
/** Of the certificates of users alone (RFC 5280 5.2.5). */
const users = extension(
  EXTENSION.issuingDistributionPoint,
  sequence(element(context(1, false), Buffer.of(0xff))),
  true,
);
const delta = (base: number) => extension(EXTENSION.deltaCrlIndicator, integer(base), true);
const impostor = new Authority({ ...root, key: other.key });

const rulesWith = (crls: readonly Uint8Array[]): KeyringRules => ({
  trust: [file("ca.pem", root.pem.certificate)],
  revoked: { crls: crls.map((crl, index) => file(`${index}.crl`, crl)), certificates: [], digests: [] },
  usage: ["codeSigning"],
  validity: "now",
});

/** A list by `by` as number 2 that revokes, unless the request says otherwise. */
const list = (by: Authority, request: RevocationListRequest = {}) =>
  by.revocationList({ number: 2, ...revoked, ...request });

const one = root.revocationList({ number: 1 });

function sealed(crls: readonly Uint8Array[] = [one]) {
  const lists = new SealedLists(rulesWith(crls));
  const keyring = openKeyring("k", lists.asked);
  return {
    lists,
    offer(...offered: readonly Uint8Array[]) {
      const result = lists.offer(offered.map((crl) => file("new.crl", crl)));
      if (result.changed) keyring.replace(lists.asked);
      return result;
    },
    verdict: (who = signer, chain = [] as Authority[]) => {
      const signature = signPkcs7(data, { ...who, chain: chain.map(({ certificate }) => certificate) });
      return verdictName(keyring.verify(data, signature, "PKCS7", Date.now()).verdict);
    },
  };
}

function damaged(crl: Buffer): Buffer {
  const bytes = Buffer.from(crl);
  bytes[bytes.length - 1]! ^= 1;
  return bytes;
}

/** A list without its signature's contents: the bit string is empty. */
function unsigned(crl: Buffer): Buffer {
  const parts = partsOf(crl);
  return sequence(parts[0]!, parts[1]!, element(TAG.bitString, Buffer.of(0)));
}

/** The elements of a CRL: what is signed, the algorithm, the signature. */
function partsOf(crl: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  const sizeAt = (at: number) => {
    const first = crl[at + 1]!;
    if (first < 0x80) return { head: 2, length: first };
    const octets = first & 0x7f;
    return { head: 2 + octets, length: crl.readUIntBE(at + 2, octets) };
  };
  for (let at = sizeAt(0).head; at < crl.length; ) {
    const { head, length } = sizeAt(at);
    parts.push(crl.subarray(at, at + head + length));
    at += head + length;
  }
  return parts;
}

describe("a sealed keyring and a list in its files", () => {
  it.each<[string, () => Uint8Array]>([
    ["in DER", () => list(root)],
    ["in PEM", () => Buffer.from(writePem("X509 CRL", list(root)))],
    ["beside the one that is sealed", () => Buffer.from(writePem("X509 CRL", one) + writePem("X509 CRL", list(root)))],
    ["far ahead", () => list(root, { number: 1000 })],
    [
      "that is a delta of it",
      () => Buffer.from(writePem("X509 CRL", one) + writePem("X509 CRL", list(root, { extensions: [delta(1)] }))),
    ],
  ])("takes a newer one of the same issuer and scope, validly signed: %s", (_, crl) => {
    const { offer, verdict, lists } = sealed();
    expect(verdict()).toBe("0");
    expect(offer(crl())).toEqual({ changed: true, rejected: [] });
    expect(verdict()).toBe("-EKEYREVOKED");
    expect(lists.rules.revoked.newer).toHaveLength(1);
  });

  it.each<[string, () => Uint8Array, RegExp]>([
    ["with a lower number", () => list(root, { number: 0 }), /its number 0 is not higher than 1/],
    ["with the same number", () => list(root, { number: 1 }), /its number 1 is not higher than 1/],
    ["of another issuer", () => list(other), /no list of its issuer and scope is sealed/],
    ["of another scope", () => list(root, { extensions: [users] }), /no list of its issuer and scope is sealed/],
    ["with a bad signature", () => damaged(list(root)), /its signature is not valid/],
    ["signed by another key in the issuer's name", () => list(impostor), /its signature is not valid/],
    ["that is not signed", () => unsigned(list(root)), /its signature is not valid|cut short|malformed|empty/],
    [
      "with a critical extension that is not known",
      () => list(root, { extensions: [extension("\x2a\x03", integer(1), true)] }),
      /critical extension/,
    ],
    ["that is none", () => Buffer.from("nothing"), /./],
  ])("does not take one %s, and says why", (_, crl, why) => {
    const { offer, verdict, lists } = sealed();
    const before = lists.rules;
    const { changed, rejected } = offer(one, crl());
    expect(changed).toBe(false);
    expect(rejected.join("\n")).toMatch(why);
    expect(lists.rules).toBe(before);
    expect(verdict()).toBe("0");
  });

  it.each<[string, (crl: Buffer) => readonly Uint8Array[]]>([
    ["its file is gone", () => []],
    ["its file is damaged", (crl) => [damaged(crl)]],
    ["its file is no list", () => [Buffer.from("nothing")]],
    ["an older one is put back", () => [root.revocationList({ number: 1, thisUpdate: NOW - 7_200_000 })]],
    ["one of another issuer is there", () => [list(other)]],
  ])("drops none: neither a sealed one nor one that was taken, when %s", (_, files) => {
    const first = list(root, { number: 1 });
    const kept = sealed([first]);
    expect(kept.offer(...files(first)).rejected).not.toEqual([]);
    expect(kept.verdict()).toBe("-EKEYREVOKED");
    const taken = sealed();
    const second = list(root);
    expect(taken.offer(second).changed).toBe(true);
    const { changed, rejected } = taken.offer(...files(second));
    expect(changed).toBe(false);
    expect(rejected).not.toEqual([]);
    expect(taken.verdict()).toBe("-EKEYREVOKED");
  });

  it("replaces an accepted list only by a newer one", () => {
    const { offer, verdict, lists } = sealed();
    offer(list(root));
    expect(verdict()).toBe("-EKEYREVOKED");
    offer(root.revocationList({ number: 3, thisUpdate: NOW - 60_000 }));
    expect(verdict()).toBe("0");
    expect(lists.rules.revoked.newer).toHaveLength(1);
    expect(offer(list(root)).rejected.join()).toContain("is not higher than 3");
    expect(verdict()).toBe("0");
  });

  it("keeps an accepted list beside a newer one that is not valid yet", () => {
    const { offer, verdict, lists } = sealed();
    offer(list(root));
    offer(root.revocationList({ number: 3, thisUpdate: NOW + 3_600_000 }));
    expect(lists.rules.revoked.newer).toHaveLength(2);
    expect(verdict()).toBe("-EKEYREVOKED");
  });

  it("keeps accepted lists in the next decision thread", () => {
    const { offer, lists } = sealed();
    offer(list(root));
    const next = new SealedLists(structuredClone(lists.rules));
    expect(next.offer([file("new.crl", root.revocationList({ number: 1 }))]).changed).toBe(false);
    const keyring = openKeyring("k", next.asked);
    expect(keyring.verify(data, signPkcs7(data, signer), "PKCS7", NOW).verdict).toBe(-ERRNO.EKEYREVOKED);
    const spare = new SealedLists(rulesWith([root.revocationList({ number: 1 })]));
    expect(spare.adopt(lists.rules)).toBe(true);
    expect(spare.adopt(lists.rules)).toBe(false);
    expect(spare.rules.revoked.newer).toHaveLength(1);
  });
});

describe("a list of an issuer whose certificate is not sealed", () => {
  const first = () => between.revocationList({ number: 1 });

  it("counts once a message brings the certificate, and is kept from then on", () => {
    const { offer, verdict, lists } = sealed([first()]);
    expect(offer(list(between)).rejected).toEqual([]);
    expect(lists.rules.revoked.newer).toBeUndefined();
    expect(verdict(below, [between])).toBe("-EKEYREVOKED");
    expect(lists.rules.revoked.newer).toHaveLength(1);
    expect(offer(first()).rejected.join()).toContain("is not higher than 2");
    expect(verdict(below, [between])).toBe("-EKEYREVOKED");
  });

  it("does not count, and refuses nothing, if it is signed by another key", () => {
    const forged = list(new Authority({ ...between, key: other.key }));
    const { offer, verdict, lists } = sealed([first()]);
    offer(forged);
    expect(verdict(below, [between])).toBe("0");
    expect(lists.rules.revoked.newer).toBeUndefined();
    offer(first());
    expect(verdict(below, [between])).toBe("0");
  });
});
