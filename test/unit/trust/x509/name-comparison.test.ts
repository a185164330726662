/**
 * Every encoding of names, wherever two names are compared. What cannot be compared is neither permitted nor safe from
 * being excluded.
 */
import { describe, expect, it } from "vitest";
import { Cursor } from "../../../../src/trust/asn1/der.js";
import { element, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../../../src/trust/asn1/oid.js";
import { context, TAG } from "../../../../src/trust/asn1/tag.js";
import { Authority, extension } from "../../../../src/trust/issuing/authority.js";
import { judgePath, type PathVerdict } from "../../../../src/trust/path-case.js";
import { Name } from "../../../../src/trust/x509/name.js";
import { prepare } from "../../../../src/trust/x509/string-preparation.js";
import { COMMON_NAME, nameOfValues, ORGANIZATION, PAIRS, type Pair, utf8 } from "../../../support/names.js";
import { drawing, SHARE } from "../../../support/share.js";
import { file, trusting } from "../../../support/trust.js";

const AT = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
const PERIOD = { notBefore: AT - 10 * DAY, notAfter: AT + 300 * DAY };
const LIST = { thisUpdate: AT - DAY, nextUpdate: AT + DAY };
const { key } = Authority.create({ subject: "Key", ...PERIOD });

const read = (der: Buffer): Name => new Name(new Cursor(der, 0, der.length).take(TAG.sequence, "a name"));
const below = (value: Buffer): Buffer => nameOfValues([ORGANIZATION, value], [COMMON_NAME, utf8("Signer")]);
const at = (value: Buffer): Buffer => nameOfValues([ORGANIZATION, value]);
const directory = (name: Buffer): Buffer => element(context(4, true), name);
const root = (subject: Buffer, ...extensions: readonly Buffer[]): Authority =>
  Authority.create({ subject, key, extensions, ...PERIOD });

const constraints = (tag: number, name: Buffer): Buffer =>
  extension(EXTENSION.nameConstraints, sequence(element(context(tag, true), sequence(directory(name)))), true);

function judge(
  authority: Authority,
  subject: Buffer,
  crls: readonly Buffer[] = [],
  more: readonly Buffer[] = [],
): PathVerdict {
  const leaf = authority.issue({ subject, key, serial: 7n, extensions: more, ...PERIOD });
  return judgePath({
    trust: [authority.pem.certificate],
    untrusted: [],
    crls: crls.map((crl) => crl.toString("base64")),
    leaf: leaf.pem.certificate,
    at: AT,
    usage: [],
    policies: [],
    freshness: "if-present",
  });
}

const certain = ({ title }: Pair): boolean => !title.includes("the same bytes");
const GOOD = { ok: true, rule: null };
const REVOKED = { errno: "EKEYREVOKED", rule: "RFC 5280 6.3.3 (j)" };
const MALFORMED = { errno: "EBADMSG", rule: "DER_MALFORMED", reason: expect.stringContaining("cannot be compared") };
const entries = [{ serial: 7n, at: AT - DAY }];

describe.each(PAIRS.map((pair) => [pair.title, pair] as const))("names: %s", (_title, pair) => {
  const { a, b, same } = pair;

  it("are compared alike from both sides", () => {
    const [one, other] = [read(at(a)), read(at(b))];
    expect([one.compare(other), other.compare(one)]).toEqual([same, same]);
    expect([one.equals(other), one.key === other.key]).toEqual([same === "yes", same === "yes"]);
    expect([read(below(a)).within(other), read(below(b)).within(one)]).toEqual([same, same]);
    expect(one.within(read(below(b)))).toBe("no");
  });
});

describe.each(drawing()(PAIRS).map((pair) => [pair.title, pair] as const))(
  `names in paths (${SHARE}): %s`,
  (_title, pair) => {
    const { a, b, same } = pair;

    it("count as permitted only where they are surely the same", () => {
      for (const [subtree, subject] of [
        [a, b],
        [b, a],
      ] as const)
        expect(judge(root(at(utf8("Root")), constraints(0, at(subtree))), below(subject))).toMatchObject(
          same === "yes" ? GOOD : { errno: "EKEYREJECTED", rule: "RFC 5280 6.1.3 (b)" },
        );
    });

    it("escape exclusion only where they are surely different", () => {
      for (const [subtree, subject] of [
        [a, b],
        [b, a],
      ] as const)
        expect(judge(root(at(utf8("Root")), constraints(1, at(subtree))), below(subject))).toMatchObject(
          same === "no" ? GOOD : { errno: "EKEYREJECTED", rule: "RFC 5280 6.1.3 (c)" },
        );
    });

    it("find the list of an issuer", () => {
      const authority = root(below(a));
      const list = authority.revocationList({ ...LIST, issuer: below(b), entries });
      const comparable = read(at(b)).comparable;
      expect(judge(authority, at(utf8("Signer")), [list])).toMatchObject(
        comparable ? (same === "yes" ? REVOKED : GOOD) : MALFORMED,
      );
    });

    it("of an issuer that cannot be compared with that of a list leave revocation unknown", () => {
      const authority = root(below(b));
      const list = authority.revocationList({ ...LIST, issuer: below(a), entries });
      const expected = { yes: REVOKED, no: GOOD, unknown: { errno: "EKEYREJECTED", rule: "RFC 5280 6.3.3" } }[same];
      expect(judge(authority, at(utf8("Signer")), [list])).toMatchObject(certain(pair) ? expected : MALFORMED);
    });

    it("find the entry of an indirect list", () => {
      const authority = root(below(a));
      const issuer = extension(
        EXTENSION.certificateIssuer,
        sequence(element(context(2, false), Buffer.from("x")), directory(below(b))),
        true,
      );
      const indirect = extension(
        EXTENSION.issuingDistributionPoint,
        sequence(element(context(4, false), Buffer.of(0xff))),
        true,
      );
      const list = authority.revocationList({
        ...LIST,
        entries: [{ serial: 7n, at: AT - DAY, extensions: [issuer] }],
        extensions: [indirect],
      });
      const comparable = read(at(b)).comparable;
      expect(judge(authority, at(utf8("Signer")), [list])).toMatchObject(
        comparable ? (same === "yes" ? REVOKED : GOOD) : MALFORMED,
      );
    });

    it("find the list of a distribution point", () => {
      const authority = root(at(utf8("Root")));
      const point = (name: Buffer): Buffer => element(context(0, true), element(context(0, true), directory(name)));
      const list = authority.revocationList({
        ...LIST,
        entries,
        extensions: [extension(EXTENSION.issuingDistributionPoint, sequence(point(below(a))), true)],
      });
      const named = extension(EXTENSION.crlDistributionPoints, sequence(sequence(point(below(b)))));
      const expected = { yes: REVOKED, no: GOOD, unknown: { errno: "EKEYREJECTED", rule: "RFC 5280 6.3.3" } }[same];
      expect(judge(authority, at(utf8("Signer")), [list], [named])).toMatchObject(expected);
    });
  },
);

describe("string preparation", () => {
  /** The planes that have more than ideographs and private use. */
  const ranges = [
    [0, 0xd7ff],
    [0xe000, 0x1ffff],
    [0xe0000, 0xe0fff],
  ] as const;
  const points = ranges.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );

  it("is idempotent for every code point", { tags: ["deep"] }, () => {
    const unstable = points.filter((point) => {
      const prepared = prepare(`a${String.fromCodePoint(point)}b`);
      return prepared !== null && prepare(prepared) !== prepared;
    });
    expect(unstable).toEqual([]);
  });

  it("folds every letter that regular expressions without case take for another", { tags: ["deep"] }, () => {
    const wrong = points.filter((point) => {
      const letter = String.fromCodePoint(point);
      const others = new Set([letter.toLowerCase(), letter.toUpperCase()]);
      if (prepare(letter) === null) return false;
      return [...others].some(
        (other) => new RegExp(`^${literally(letter)}$`, "iu").test(other) && prepare(letter) !== prepare(other),
      );
    });
    expect(wrong).toEqual([]);
  });

  it("removes all invisible characters: each is dropped, a space, or undefined", () => {
    const seen = points.filter((point) => {
      const letter = String.fromCodePoint(point);
      if (!/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u.test(letter)) return false;
      const prepared = prepare(`a${letter}b`);
      return prepared !== null && prepared !== "ab" && prepared !== "a b";
    });
    expect(seen).toEqual([]);
  });

  const literally = (letter: string): string => letter.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
});

describe("a long value", () => {
  it("is compared where it is ASCII, and up to 1024 characters where it is not", () => {
    const value = (text: string): Name => read(at(utf8(text)));
    expect(value("a".repeat(5000)).compare(value("A".repeat(5000)))).toBe("yes");
    expect(value("é".repeat(1024)).compare(value("É".repeat(1024)))).toBe("yes");
    expect(value("é".repeat(1025)).compare(value("É".repeat(1025)))).toBe("unknown");
    expect(value("é".repeat(1025)).compare(value("é".repeat(1025)))).toBe("yes");
  });
});

describe("a keyring", () => {
  it("does not open with a CRL whose issuer, or an entry's, cannot be compared or is empty", () => {
    const authority = root(at(utf8("Root")));
    const entry = (issuer: Buffer): Buffer =>
      authority.revocationList({
        ...LIST,
        entries: [
          {
            serial: 7n,
            extensions: [extension(EXTENSION.certificateIssuer, sequence(directory(issuer)), true)],
          },
        ],
      });
    const uncertain = PAIRS.filter(({ same }) => same === "unknown").map(({ b }) => at(b));
    for (const issuer of [sequence(), ...uncertain])
      for (const list of [authority.revocationList({ ...LIST, issuer, entries }), entry(issuer)]) {
        const revoked = { crls: [file("list.crl", list)], certificates: [], digests: [] };
        expect(() => trusting([authority.pem.certificate], { revoked })).toThrow(
          expect.objectContaining({ code: "CRL_MALFORMED" }),
        );
      }
  });
});
