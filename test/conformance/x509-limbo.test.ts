/**
 * Chains that C2SP's x509-limbo describes, by its identifiers and with the results that it expects. The certificates
 * are made here from the descriptions, since its file of vectors is in no package. Rows are from its parts `pathlen`
 * and `rfc5280`. Left out: host names and extended key usages, which belong to servers; saved certificates of others;
 * a negative serial number (unit/trust/x509/profile); most name constraints, which PKITS and
 * unit/trust/x509/name-forms cover; and the part `webpki`, which is about the CA/Browser Forum's rules.
 */
import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { element, octetString, sequence } from "../../src/trust/asn1/der-writer.js";
import { EXTENSION, oid } from "../../src/trust/asn1/oid.js";
import { context } from "../../src/trust/asn1/tag.js";
import { Authority, type CertificateRequest, distinguishedName, extension } from "../../src/trust/issuing/authority.js";
import { judgePath } from "../../src/trust/path-case.js";

const AT = Date.UTC(2024, 2, 15);
const year = (number: number): number => Date.UTC(number, 0, 1);
type Request = Partial<CertificateRequest>;
type Row = readonly [id: string, expected: boolean, chain: readonly Request[], more?: More];

interface More {
  /** Milliseconds since the epoch. */
  readonly at?: number;
  /** The anchor; the chain's first certificate unless it says so. */
  readonly trust?: "another root" | "the first below the root";
  /** Why this project judges it otherwise. */
  readonly differs?: string;
}

const loopback = `${"00".repeat(15)}01`;
const identifier = Buffer.alloc(20, 7);
const UNKNOWN = extension(oid("1.3.6.1.4.1.55738.666.1"), Buffer.from([5, 0]), true);
const dns = (name: string): Buffer => element(context(2, false), Buffer.from(name));
const ip = (hex: string): Buffer => element(context(7, false), Buffer.from(hex, "hex"));
const dn = (name: string): Buffer => element(context(4, true), distinguishedName(name));
const san = (...names: readonly Buffer[]): Buffer => extension(EXTENSION.subjectAltName, sequence(...names));
const only = (which: 0 | 1, name: Buffer, isCritical = true): Request => ({
  extensions: [
    extension(EXTENSION.nameConstraints, sequence(element(context(which, true), sequence(name))), isCritical),
  ],
});
const permitted = (name: Buffer, isCritical = true): Request => only(0, name, isCritical);
const excluded = (name: Buffer): Request => only(1, name);
const named = (...names: readonly Buffer[]): Request => ({ extensions: [san(...names)] });
const aia = (isCritical: boolean): Request => ({
  extensions: [
    extension(
      EXTENSION.authorityInfoAccess,
      sequence(sequence(element(6, Buffer.from(oid("1.3.6.1.5.5.7.48.2"), "latin1")), dns("example.com"))),
      isCritical,
    ),
  ],
});
const pathlen = (authority: number): Request => ({ authority });
const between = (from: number, to: number): Request => ({ notBefore: from, notAfter: to });
const without = (...types: readonly string[]): Request => ({ without: types });
const EMPTY = sequence();
const MARCH = between(Date.UTC(2024, 2, 1), Date.UTC(2024, 3, 1));
const SECOND = between(Date.UTC(2024, 2, 1) + 1000, Date.UTC(2024, 3, 1));
const ANCHOR = "an anchor is trusted as it is: what RFC 5280 asks of authorities is asked below it";

const ROWS: readonly Row[] = [
  ["pathlen::ee-with-intermediate-pathlen-0", true, [{}, pathlen(0), {}]],
  ["pathlen::ee-with-intermediate-pathlen-1", true, [{}, pathlen(1), {}]],
  ["pathlen::ee-with-intermediate-pathlen-2", true, [{}, pathlen(2), {}]],
  ["pathlen::validation-ignores-pathlen-in-leaf", true, [{}, pathlen(0), pathlen(0)]],
  ["pathlen::intermediate-violates-pathlen-0", false, [{}, pathlen(0), pathlen(0), {}]],
  ["pathlen::intermediate-pathlen-may-increase", true, [{}, pathlen(1), pathlen(2), {}]],
  ["pathlen::intermediate-pathlen-too-long", false, [{}, pathlen(1), pathlen(0), pathlen(0), {}]],
  [
    "pathlen::self-issued-certs-pathlen",
    true,
    [{}, { ...pathlen(1), subject: "ICA" }, { ...pathlen(1), subject: "ICA" }, pathlen(0), {}],
  ],
  ["rfc5280::ee-empty-issuer", false, [{ subject: EMPTY }, {}]],
  ["rfc5280::ca-empty-subject", false, [{ subject: EMPTY }, {}]],
  ["rfc5280::unknown-critical-extension-ee", false, [{}, { extensions: [UNKNOWN] }]],
  ["rfc5280::unknown-critical-extension-root", false, [{ extensions: [UNKNOWN] }, {}]],
  ["rfc5280::unknown-critical-extension-intermediate", false, [{}, { ...pathlen(0), extensions: [UNKNOWN] }, {}]],
  ["rfc5280::chain-untrusted-root", false, [{}, pathlen(0), {}], { trust: "another root" }],
  ["rfc5280::intermediate-ca-without-ca-bit", false, [{}, { authority: false }, {}]],
  ["rfc5280::intermediate-ca-missing-basic-constraints", false, [{}, without(EXTENSION.basicConstraints), {}]],
  ["rfc5280::root-missing-basic-constraints", false, [without(EXTENSION.basicConstraints), {}]],
  [
    "rfc5280::root-non-critical-basic-constraints",
    false,
    [
      {
        ...without(EXTENSION.basicConstraints),
        extensions: [extension(EXTENSION.basicConstraints, sequence(element(1, Buffer.of(0xff))))],
      },
      {},
    ],
    { differs: ANCHOR },
  ],
  ["rfc5280::root-inconsistent-ca-extensions", false, [{ keyUsage: [6] }, {}]],
  ["rfc5280::ica-ku-keycertsign", false, [{}, { ...pathlen(0), keyUsage: [6] }, {}]],
  ["rfc5280::leaf-ku-keycertsign", false, [{}, { keyUsage: [0, 5] }]],
  ["rfc5280::ee-aia", true, [{}, aia(false)]],
  ["rfc5280::ee-critical-aia-invalid", false, [{}, aia(true)]],
  ["rfc5280::duplicate-extensions", false, [{}, { extensions: [san(dns("example.com")), san(dns("example.com"))] }]],
  ["rfc5280::no-keyusage", true, [{}, { keyUsage: null }]],
  ["rfc5280::no-basicconstraints", true, [{}, without(EXTENSION.basicConstraints)]],
  ["rfc5280::serial::number-too-long", false, [{}, { serial: 1n << 170n }]],
  ["rfc5280::serial::number-zero", false, [{}, { serial: 0n }]],
  [
    "rfc5280::ski::critical-ski",
    false,
    [
      {
        ...without(EXTENSION.subjectKeyIdentifier),
        extensions: [extension(EXTENSION.subjectKeyIdentifier, octetString(identifier), true)],
      },
      {},
    ],
    { differs: ANCHOR },
  ],
  ["rfc5280::ski::root-missing-ski", false, [without(EXTENSION.subjectKeyIdentifier), {}], { differs: ANCHOR }],
  ["rfc5280::ski::intermediate-missing-ski", false, [{}, without(EXTENSION.subjectKeyIdentifier), {}]],
  [
    "rfc5280::aki::critical-aki",
    false,
    [
      {
        ...without(EXTENSION.authorityKeyIdentifier),
        extensions: [
          extension(EXTENSION.authorityKeyIdentifier, sequence(element(context(0, false), identifier)), true),
        ],
      },
      {},
    ],
    { differs: ANCHOR },
  ],
  ["rfc5280::aki::leaf-missing-aki", false, [{}, without(EXTENSION.authorityKeyIdentifier)]],
  [
    "rfc5280::aki::intermediate-missing-aki",
    false,
    [{}, { ...pathlen(0), ...without(EXTENSION.authorityKeyIdentifier) }, {}],
  ],
  ["rfc5280::aki::self-signed-root-missing-aki", true, [without(EXTENSION.authorityKeyIdentifier), {}]],
  [
    "rfc5280::aki::cross-signed-root-missing-aki",
    false,
    [{}, { ...pathlen(0), ...without(EXTENSION.authorityKeyIdentifier) }, {}],
    { trust: "the first below the root", differs: ANCHOR },
  ],
  [
    "rfc5280::validity::expired-root",
    false,
    [between(year(2016), year(2020)), between(year(2016), year(2026)), between(year(2018), year(2023))],
    { at: year(2022) },
  ],
  [
    "rfc5280::validity::expired-intermediate",
    false,
    [between(year(2016), year(2026)), between(year(2016), year(2020)), between(year(2018), year(2023))],
    { at: year(2022) },
  ],
  [
    "rfc5280::validity::expired-leaf",
    false,
    [between(year(2016), year(2026)), between(year(2016), year(2026)), between(year(2018), year(2021))],
    { at: year(2022) },
  ],
  ["rfc5280::validity::notbefore-exact", true, [MARCH, MARCH, MARCH], { at: MARCH.notBefore as number }],
  [
    "rfc5280::validity::notbefore-fractional",
    false,
    [SECOND, SECOND, SECOND],
    { at: (SECOND.notBefore as number) - 1 },
  ],
  ["rfc5280::validity::notafter-exact", true, [MARCH, MARCH, MARCH], { at: MARCH.notAfter as number }],
  ["rfc5280::validity::notafter-fractional", true, [MARCH, MARCH, MARCH], { at: (MARCH.notAfter as number) + 5 }],
  ["rfc5280::nc::permitted-dns-mismatch", false, [permitted(dns("example.com")), named(dns("not-example.com"))]],
  ["rfc5280::nc::excluded-dns-match", false, [{}, excluded(dns("example.com")), named(dns("example.com"))]],
  ["rfc5280::nc::permitted-dns-match", true, [permitted(dns("example.com")), named(dns("example.com"))]],
  [
    "rfc5280::nc::permitted-dns-match-noncritical",
    false,
    [permitted(dns("example.com"), false), named(dns("example.com"))],
    { differs: ANCHOR },
  ],
  ["rfc5280::nc::permitted-dns-match-more", true, [permitted(dns("example.com")), named(dns("foo.bar.example.com"))]],
  [
    "rfc5280::nc::excluded-dns-match-second",
    false,
    [excluded(dns("not-allowed.example.com")), named(dns("example.com"), dns("not-allowed.example.com"))],
  ],
  ["rfc5280::nc::permitted-ip-mismatch", false, [permitted(ip("c0000200ffffff00")), named(ip("c0000301"))]],
  ["rfc5280::nc::excluded-ipv4-match", false, [excluded(ip("c0000200ffffff00")), named(ip("c0000201"))]],
  ["rfc5280::nc::permitted-ipv4-match", true, [permitted(ip("c0000200ffffff00")), named(ip("c0000201"))]],
  ["rfc5280::nc::excluded-ipv6-match", false, [excluded(ip(`${loopback}${"ff".repeat(16)}`)), named(ip(loopback))]],
  ["rfc5280::nc::permitted-ipv6-match", true, [permitted(ip(`${loopback}${"ff".repeat(16)}`)), named(ip(loopback))]],
  [
    "rfc5280::nc::permitted-dn-mismatch",
    false,
    [permitted(dn("foo")), { subject: "not-foo", ...named(dn("not-foo")) }],
  ],
  ["rfc5280::nc::excluded-dn-match", false, [excluded(dn("foo")), { subject: "foo", ...named(dn("foo")) }]],
  ["rfc5280::nc::permitted-dn-match", true, [permitted(dn("foo")), { subject: "foo", ...named(dn("foo")) }]],
  [
    "rfc5280::nc::permitted-dn-match-subject-san-mismatch",
    false,
    [permitted(dn("foo")), { subject: "not-foo", ...named(dn("foo")) }],
  ],
  [
    "rfc5280::nc::excluded-dn-match-sub-mismatch",
    false,
    [excluded(dn("foo")), { subject: "foo", ...named(dn("bar")) }],
  ],
];

describe("x509-limbo", () => {
  it.for(ROWS)("%s", ([, expected, requests, { at = AT, trust, differs } = {}]) => {
    const period = between(year(2010), year(2040));
    const whole = requests.map((request, index) => ({ subject: `Certificate ${index}`, ...period, ...request }));
    const root = Authority.create(whole[0] as CertificateRequest);
    const authorities = [root];
    for (const request of whole.slice(1, -1)) authorities.push((authorities.at(-1) as Authority).subordinate(request));
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const spki = publicKey.export({ type: "spki", format: "der" });
    const leaf = (authorities.at(-1) as Authority).certify(whole.at(-1) as CertificateRequest, spki);
    const all = authorities.map(({ certificate }) => certificate.der.toString("base64"));
    const first = trust === "the first below the root" ? 1 : 0;
    const other = Authority.create({ subject: "Another root", ...period }).certificate.der.toString("base64");
    const verdict = judgePath({
      trust: [trust === "another root" ? other : (all[first] as string)],
      untrusted: trust === "another root" ? all : all.slice(first + 1),
      leaf: leaf.toString("base64"),
      at,
      crls: [],
      usage: [],
      policies: [],
      freshness: null,
      profile: "strict",
    });
    expect(verdict, String(verdict.reason)).toMatchObject({ ok: differs === undefined ? expected : !expected });
  });
});
