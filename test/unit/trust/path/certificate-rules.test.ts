/**
 * Rules about certificates by themselves, on each place of a path: the anchor alone, the anchor, an authority between,
 * the signer.
 */
import { describe, expect, it } from "vitest";
import { element, integer, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../../../src/trust/asn1/oid.js";
import { context, TAG } from "../../../../src/trust/asn1/tag.js";
import { Authority, type CertificateRequest, extension } from "../../../../src/trust/issuing/authority.js";
import { judgePath, type PathVerdict } from "../../../../src/trust/path-case.js";
import { nameOfValues } from "../../../support/names.js";

const AT = Date.UTC(2026, 5, 1);
const PERIOD = { notBefore: AT - 1000, notAfter: AT + 1000 };
const { key } = Authority.create({ subject: "Key", ...PERIOD });
const EMPTY = sequence();
const host = sequence(element(context(2, false), Buffer.from("a.example")));
const names = (critical: boolean): Buffer => extension(EXTENSION.subjectAltName, host, critical);
const subtrees = extension(
  EXTENSION.nameConstraints,
  sequence(element(context(1, true), sequence(element(context(2, false), Buffer.from("evil.example"))))),
  true,
);

type Place = "anchor" | "root" | "between" | "signer";

interface Row {
  readonly title: string;
  readonly rule: string | null;
  readonly request: Partial<CertificateRequest>;
  readonly places: readonly Place[];
}

const EVERYWHERE = ["anchor", "root", "between", "signer"] as const;
const BELOW = ["between", "signer"] as const;
const ENDS = ["anchor", "signer"] as const;
const AUTHORITIES = ["root", "between"] as const;

const ROWS: readonly Row[] = [
  { title: "nothing special", rule: null, request: {}, places: EVERYWHERE },
  { title: "a serial number of 20 octets", rule: null, request: { serial: (1n << 159n) - 1n }, places: EVERYWHERE },
  {
    title: "a serial number of 21 octets",
    rule: "RFC 5280 4.1.2.2",
    request: { serial: 1n << 160n },
    places: EVERYWHERE,
  },
  { title: "an empty subject", rule: "RFC 5280 4.1.2.6", request: { subject: EMPTY }, places: BELOW },
  {
    title: "an empty subject and names that are not critical",
    rule: "RFC 5280 4.1.2.6",
    request: { subject: EMPTY, extensions: [names(false)] },
    places: BELOW,
  },
  {
    title: "an empty subject and critical names",
    rule: null,
    request: { subject: EMPTY, extensions: [names(true)] },
    places: ["signer"],
  },
  {
    title: "an empty subject and critical names, for an authority",
    rule: "RFC 5280 4.1.2.6",
    request: { subject: EMPTY, extensions: [names(true)] },
    places: ["between"],
  },
  {
    title: "critical names, an empty subject, and so an empty issuer",
    rule: "RFC 5280 4.1.2.4",
    request: { subject: EMPTY, extensions: [names(true)] },
    places: ["anchor", "root"],
  },
  { title: "keyCertSign and no authority", rule: "RFC 5280 4.2.1.9", request: { keyUsage: [0, 5] }, places: ENDS },
  {
    title: "name constraints and no authority",
    rule: "RFC 5280 4.2.1.10",
    request: { extensions: [subtrees] },
    places: ENDS,
  },
  { title: "name constraints", rule: null, request: { extensions: [subtrees] }, places: AUTHORITIES },
];

function judge(place: Place, request: Partial<CertificateRequest>): PathVerdict {
  const at = (one: Place): Partial<CertificateRequest> => (one === place ? request : {});
  const make = { key, ...PERIOD };
  const root = Authority.create({
    subject: "Root",
    ...make,
    authority: place !== "anchor",
    ...at("root"),
    ...at("anchor"),
  });
  const between = root.subordinate({ subject: "Between", ...make, ...at("between") });
  const signer = place === "anchor" ? root : between.issue({ subject: "Signer", ...make, ...at("signer") });
  return judgePath({
    trust: [root.pem.certificate],
    untrusted: [between.pem.certificate],
    leaf: signer.pem.certificate,
    crls: [],
    at: AT,
    usage: [],
    policies: [],
    freshness: null,
  });
}

const CASES = ROWS.flatMap((row) => row.places.map((place) => [row.title, place, row] as const));

describe("a certificate", () => {
  it.each(CASES)("with %s, as %s", (_title, place, { rule, request }) => {
    expect(judge(place, request)).toMatchObject(rule === null ? { ok: true } : { errno: "EKEYREJECTED", rule });
  });

  it("of an empty issuer is refused by name", () => {
    const root = Authority.create({ subject: EMPTY, key, ...PERIOD });
    const signer = root.issue({ subject: "Signer", key, ...PERIOD });
    const rules = { crls: [], at: AT, usage: [], policies: [], freshness: null, untrusted: [] };
    const alone = judgePath({ trust: [signer.pem.certificate], leaf: signer.pem.certificate, ...rules });
    expect(alone).toMatchObject({ errno: "EKEYREJECTED", rule: "RFC 5280 4.1.2.4" });
  });

  it("with an empty relative distinguished name is malformed", () => {
    const subject = sequence(nameOfValues().subarray(2), element(TAG.set));
    expect(() => Authority.create({ subject, key, ...PERIOD })).toThrow(/empty relative distinguished name/);
    expect(() => Authority.create({ subject: sequence(integer(1)), key, ...PERIOD })).toThrow(
      /relative distinguished name expected/,
    );
  });
});
