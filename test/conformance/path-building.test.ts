/**
 * Which paths are found among many certificates, of which some are invalid: the graphs and the reasons of BetterTLS'
 * suite "pathbuilding". The graphs are figures of RFC 4158 (2.3, 2.4) and two small ones; the certificates are made
 * here. A path must be found if, and only if, one leads from the anchor to the leaf over valid certificates, whatever
 * their order is.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readDer } from "../../src/trust/asn1/der.js";
import { element, identifier, sequence } from "../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../src/trust/asn1/oid.js";
import { context, TAG } from "../../src/trust/asn1/tag.js";
import { Authority, type CertificateRequest, extension } from "../../src/trust/issuing/authority.js";
import { judgePath } from "../../src/trust/path-case.js";
import { numbers, seedOf, shuffled } from "../support/damage.js";

const seed = seedOf();
const YEAR = 365 * 24 * 3_600_000;
const NOW = Date.now();
const LEAF = "EE";
const SHA1 = "DEPRECATED_CRYPTO";

const dns = (name: string): Buffer => element(context(2, false), Buffer.from(name));

/** What makes a certificate invalid. */
const REASONS: Readonly<Record<string, Partial<CertificateRequest>>> = {
  EXPIRED: { notBefore: NOW - 2 * YEAR, notAfter: NOW - YEAR },
  NAME_CONSTRAINTS: {
    extensions: [
      extension(EXTENSION.nameConstraints, sequence(element(context(0, true), sequence(dns("bad.example.com")))), true),
    ],
  },
  BAD_EKU: { usage: ["emailProtection"] },
  MISSING_BASIC_CONSTRAINTS: { without: [EXTENSION.basicConstraints] },
  NOT_A_CA: { authority: false, keyUsage: [5] },
  [SHA1]: {},
};
/** Those that say something of a leaf as well. */
const OF_LEAVES = new Set(["EXPIRED", "BAD_EKU", SHA1]);

/** A certificate: who signed it, and whose it is. */
type Edge = readonly [issuer: string, subject: string];

interface Graph {
  readonly anchors: readonly string[];
  readonly edges: readonly Edge[];
}

const both = (one: string, other: string): Edge[] => [
  [one, other],
  [other, one],
];

const GRAPHS: Readonly<Record<string, Graph>> = {
  LINEAR_TRUST_GRAPH: {
    anchors: ["Trust Anchor"],
    edges: [
      ["Trust Anchor", "ICA"],
      ["ICA", LEAF],
    ],
  },
  TWO_ROOTS: {
    anchors: ["Root1", "Root2"],
    edges: [
      ["Root1", "ICA"],
      ["Root2", "ICA"],
      ["ICA", LEAF],
    ],
  },
  FIGURE_SEVEN: {
    anchors: ["Trust Anchor"],
    edges: [["Trust Anchor", "A"], ["Trust Anchor", "C"], ...both("A", "C"), ["A", "B"], ["C", "B"], ["B", LEAF]],
  },
  BRIDGE_CA_PKI: {
    anchors: ["TA W", "TA X", "TA Y", "TA Z"],
    edges: [
      ...["TA W", "TA X", "TA Y", "TA Z"].flatMap((anchor) => both(anchor, "Bridge CA")),
      ...["F", "G"].map((name): Edge => ["TA W", name]),
      ...both("F", "G"),
      ["F", "H"],
      ["G", "I"],
      ...both("H", "I"),
      ...["J", "L"].map((name): Edge => ["TA X", name]),
      ["J", "K"],
      ["L", "M"],
      ["L", "N"],
      ["N", LEAF],
      ...["A", "C"].flatMap((name): Edge[] => [
        ["TA Y", name],
        [name, "B"],
      ]),
      ...both("A", "C"),
      ["B", "D"],
      ["B", "E"],
      ...["O", "P"].map((name): Edge => ["TA Z", name]),
      ["O", "Q"],
      ["O", "R"],
      ["R", "S"],
      ["P", "S"],
    ],
  },
};

/** The certificates of a graph: each edge without a fault, and with each reason; in base64. */
class Certificates {
  readonly #keys = new Map<string, KeyObject>();
  readonly #authorities = new Map<string, Authority>();
  readonly #made = new Map<string, string>();

  anchor(name: string): string {
    return this.#authority(name).certificate.der.toString("base64");
  }

  of([issuer, subject]: Edge, reason: string | null): string {
    const name = JSON.stringify([issuer, subject, reason]);
    let made = this.#made.get(name);
    if (made === undefined) {
      const spki = createPublicKey(this.#key(subject)).export({ type: "spki", format: "der" });
      const leaf = { extensions: [extension(EXTENSION.subjectAltName, sequence(dns("localhost")))] };
      const request = {
        subject,
        ...(subject === LEAF ? leaf : { authority: true }),
        ...(reason === null ? {} : REASONS[reason]),
      };
      const whole = this.#authority(issuer).certify(request, spki);
      made = (reason === SHA1 ? signedWithSha1(whole, this.#key(issuer)) : whole).toString("base64");
      this.#made.set(name, made);
    }
    return made;
  }

  #authority(subject: string): Authority {
    const known = this.#authorities.get(subject) ?? Authority.create({ subject, key: this.#key(subject) });
    this.#authorities.set(subject, known);
    return known;
  }

  #key(name: string): KeyObject {
    const known = this.#keys.get(name) ?? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    this.#keys.set(name, known);
    return known;
  }
}

/** The same certificate, signed by ecdsa-with-SHA1, which this project does not sign with. */
function signedWithSha1(der: Buffer, key: KeyObject): Buffer {
  const parts = readDer(der, TAG.sequence, "a certificate").open().next().open();
  const contents: Buffer[] = [];
  while (!parts.done) contents.push(parts.next().whole);
  const algorithm = sequence(identifier("1.2.840.10045.4.1"));
  const tbs = sequence(...contents.with(2, algorithm));
  return sequence(tbs, algorithm, element(TAG.bitString, Buffer.of(0), sign("sha1", tbs, key)));
}

function isReachable(edges: readonly Edge[], from: string, passed: readonly string[] = []): boolean {
  if (from === LEAF) return true;
  if (passed.includes(from)) return false;
  return edges.some(([issuer, subject]) => issuer === from && isReachable(edges, subject, [...passed, from]));
}

/** All sets of edges of a small graph; of a large one each edge, and 24 larger sets. */
function subsets(edges: readonly Edge[], next: (below: number) => number): readonly (readonly Edge[])[] {
  if (edges.length <= 8)
    return Array.from({ length: 2 ** edges.length }, (_, bits) => edges.filter((_edge, at) => (bits >> at) & 1));
  const drawn = Array.from({ length: 24 }, () => edges.filter(() => next(4) === 0));
  return [[], ...edges.map((edge) => [edge]), ...drawn];
}

const LARGE = "BRIDGE_CA_PKI";
describe.each(Object.keys(GRAPHS).filter((name) => name !== LARGE))(`paths of %s (seed ${seed})`, findsPaths);
describe.each([LARGE])(`paths of %s (seed ${seed})`, { tags: ["deep"] }, findsPaths);

function findsPaths(name: string) {
  const { anchors, edges } = GRAPHS[name]!;
  const certificates = new Certificates();
  const next = numbers(seed);

  it.each(Object.keys(REASONS))("lead around what is invalid by %s", (reason) => {
    const possible = edges.filter(([, subject]) => subject !== LEAF || OF_LEAVES.has(reason));
    const count = { ok: 0, rejected: 0 };
    for (const invalid of subsets(possible, next))
      for (const anchor of anchors) {
        const given = shuffled(edges, next);
        const certificate = (edge: Edge) => certificates.of(edge, invalid.includes(edge) ? reason : null);
        const verdict = judgePath({
          trust: [certificates.anchor(anchor)],
          untrusted: given.filter(([, subject]) => subject !== LEAF).map(certificate),
          leaf: certificate(edges.find(([, subject]) => subject === LEAF)!),
          at: NOW,
          crls: [],
          usage: ["codeSigning"],
          policies: [],
          freshness: null,
        });
        const valid = edges.filter((edge) => !invalid.includes(edge));
        const expected = isReachable(valid, anchor);
        expect(verdict.ok, `from ${anchor}, without ${invalid.join(" ")}: ${verdict.reason}`).toBe(expected);
        count[expected ? "ok" : "rejected"] += 1;
      }
    expect(count.ok).toBeGreaterThan(0);
    expect(count.rejected).toBeGreaterThan(0);
  });
}
