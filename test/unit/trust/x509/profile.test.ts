/**
 * What RFC 5280 asks of authorities, by profile and by place on a path: strict asks it of everything below an anchor.
 */
import { describe, expect, it } from "vitest";
import { verdictName } from "../../../../src/errno.js";
import { element, identifierOf, integer, octetString, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { EXTENSION, KEY_PURPOSE } from "../../../../src/trust/asn1/oid.js";
import { context, TAG } from "../../../../src/trust/asn1/tag.js";
import { Authority, type CertificateRequest, extension, namedBits } from "../../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { STRICT } from "../../../../src/trust/path/certificate-rules.js";
import type { PathState } from "../../../../src/trust/path/path-rule.js";
import { judgePath } from "../../../../src/trust/path-case.js";
import { Certificate } from "../../../../src/trust/x509/certificate.js";
import { file, trusting } from "../../../support/trust.js";

const AT = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
const PERIOD = { notBefore: AT - DAY, notAfter: AT + DAY };
const { key } = Authority.create({ subject: "Key", ...PERIOD });

type Place = "root" | "between" | "signer";
type Named = keyof typeof EXTENSION;
type Changes = Partial<Record<Named, Buffer | null>>;

const IDENTIFIER = { root: Buffer.of(1, 1), between: Buffer.of(2, 2), signer: Buffer.of(3, 3) } as const;
const ISSUER = { root: "root", between: "root", signer: "between" } as const;
const make = (name: Named, value: Buffer, critical = false): Buffer => extension(EXTENSION[name], value, critical);
const keyOf = (place: Place): Buffer => sequence(element(context(0, false), IDENTIFIER[ISSUER[place]]));

/** The extensions of a conforming certificate, but for `changes`: null leaves one out. */
function extensionsOf(place: Place, changes: Changes): readonly Buffer[] {
  const signs = place === "signer";
  const usual: Changes = {
    subjectKeyIdentifier: make("subjectKeyIdentifier", octetString(IDENTIFIER[place])),
    authorityKeyIdentifier: make("authorityKeyIdentifier", keyOf(place)),
    basicConstraints: make(
      "basicConstraints",
      signs ? sequence() : sequence(element(TAG.boolean, Buffer.of(0xff))),
      true,
    ),
    keyUsage: make("keyUsage", namedBits(signs ? [0] : [5, 6]), true),
    extendedKeyUsage: signs
      ? make("extendedKeyUsage", sequence(identifierOf(KEY_PURPOSE.codeSigning as string)))
      : null,
  };
  return Object.values({ ...usual, ...changes }).filter((one) => one !== null && one !== undefined);
}

const subtrees = sequence(element(context(1, true), sequence(element(context(2, false), Buffer.from("evil.example")))));
const skip = sequence(element(context(0, false), Buffer.of(9)));
const flag = element(TAG.boolean, Buffer.of(0xff));

interface Row {
  readonly title: string;
  /** Null for what both profiles take. */
  readonly rule: string | null;
  readonly change: (place: Place) => Changes;
  readonly request?: Partial<CertificateRequest>;
  readonly places?: readonly Place[];
}

const AUTHORITIES = ["root", "between"] as const;
const ROWS: readonly Row[] = [
  { title: "all that is asked for", rule: null, change: () => ({}) },
  { title: "serial number zero", rule: "RFC 5280 4.1.2.2", change: () => ({}), request: { serial: 0n } },
  { title: "no authority key identifier", rule: "RFC 5280 4.2.1.1", change: () => ({ authorityKeyIdentifier: null }) },
  {
    title: "an authority named by issuer and serial number alone",
    rule: "RFC 5280 4.2.1.1",
    change: () => ({ authorityKeyIdentifier: make("authorityKeyIdentifier", sequence()) }),
  },
  {
    title: "a critical authority key identifier",
    rule: "RFC 5280 4.2.1.1",
    change: (place) => ({ authorityKeyIdentifier: make("authorityKeyIdentifier", keyOf(place), true) }),
  },
  {
    title: "no subject key identifier",
    rule: "RFC 5280 4.2.1.2",
    change: () => ({ subjectKeyIdentifier: null }),
    places: AUTHORITIES,
  },
  {
    title: "no subject key identifier",
    rule: null,
    change: () => ({ subjectKeyIdentifier: null }),
    places: ["signer"],
  },
  {
    title: "a critical subject key identifier",
    rule: "RFC 5280 4.2.1.2",
    change: (place) => ({ subjectKeyIdentifier: make("subjectKeyIdentifier", octetString(IDENTIFIER[place]), true) }),
  },
  {
    title: "basic constraints that are not critical",
    rule: "RFC 5280 4.2.1.9",
    change: () => ({ basicConstraints: make("basicConstraints", sequence(flag)) }),
    places: AUTHORITIES,
  },
  {
    title: "basic constraints that are not critical",
    rule: null,
    change: () => ({ basicConstraints: make("basicConstraints", sequence()) }),
    places: ["signer"],
  },
  {
    title: "name constraints that are not critical",
    rule: "RFC 5280 4.2.1.10",
    change: () => ({ nameConstraints: make("nameConstraints", subtrees) }),
    places: AUTHORITIES,
  },
  {
    title: "policy constraints that are not critical",
    rule: "RFC 5280 4.2.1.11",
    change: () => ({ policyConstraints: make("policyConstraints", skip) }),
  },
  {
    title: "a limit on anyPolicy that is not critical",
    rule: "RFC 5280 4.2.1.14",
    change: () => ({ inhibitAnyPolicy: make("inhibitAnyPolicy", integer(9)) }),
  },
  ...(["nameConstraints", "policyConstraints", "inhibitAnyPolicy"] as const).map(
    (name): Row => ({
      title: `${name} that is critical`,
      rule: null,
      change: () => ({
        [name]: make(
          name,
          { nameConstraints: subtrees, policyConstraints: skip, inhibitAnyPolicy: integer(9) }[name],
          true,
        ),
      }),
      places: AUTHORITIES,
    }),
  ),
];

function pathOf(
  at: Place,
  { change, request = {} }: Row,
): { root: Authority; between: Authority; signer: ReturnType<Authority["issue"]> } {
  const wanted = (place: Place): CertificateRequest => ({
    subject: place,
    key,
    bare: true,
    ...PERIOD,
    extensions: extensionsOf(place, place === at ? change(place) : {}),
    ...(place === at ? request : {}),
  });
  const root = Authority.create(wanted("root"));
  const between = root.subordinate(wanted("between"));
  return { root, between, signer: between.issue(wanted("signer")) };
}

const CASES = ROWS.flatMap((row) =>
  (row.places ?? (["root", "between", "signer"] as const)).map((place) => [row.title, place, row] as const),
);

describe("profiles", () => {
  it.each(CASES)("%s, in %s", (_title, place, row) => {
    const { root, between, signer } = pathOf(place, row);
    const judge = (profile: "strict" | "compatible"): unknown =>
      judgePath({
        trust: [root.pem.certificate],
        untrusted: [between.pem.certificate],
        leaf: signer.pem.certificate,
        crls: [],
        at: AT,
        usage: [],
        policies: [],
        freshness: null,
        profile,
      });
    expect(judge("compatible")).toMatchObject({ ok: true });
    const isAsked = row.rule !== null && place !== "root";
    expect(judge("strict")).toMatchObject(isAsked ? { errno: "EKEYREJECTED", rule: row.rule } : { ok: true });
  });

  it("are strict where a keyring does not say, and ask nothing of a certificate that is trusted as itself", () => {
    const root = Authority.create({ subject: "Root", key, ...PERIOD });
    const signer = root.issue({ subject: "Signer", key, serial: 0n, ...PERIOD });
    const data = Buffer.from("data");
    const signature = signPkcs7(data, signer);
    const outcome = (trust: string, profile?: "strict" | "compatible"): string =>
      verdictName(trusting([trust], { profile }).verify(data, signature, "PKCS7", AT).verdict);
    expect(outcome(root.pem.certificate)).toBe("-EKEYREJECTED");
    expect(outcome(root.pem.certificate, "strict")).toBe("-EKEYREJECTED");
    expect(outcome(root.pem.certificate, "compatible")).toBe("0");
    expect(outcome(signer.pem.certificate)).toBe("0");
  });

  it("ask for a serial number that is not negative", () => {
    const { der } = Authority.create({ subject: "Root", key, serial: 0x7fn, ...PERIOD }).certificate;
    const negative = Buffer.from(der);
    negative[der.indexOf(Buffer.of(TAG.integer, 1, 0x7f)) + 2] = 0xff;
    const refusals = STRICT.map((rule) => rule.check(new Certificate(negative), {} as PathState)).filter(Boolean);
    expect(refusals).toMatchObject([{ rule: "RFC 5280 4.1.2.2", reason: expect.stringContaining("negative") }]);
  });

  const number = (critical: boolean): readonly Buffer[] => [make("crlNumber", integer(1), critical)];
  it.each([
    ["a number", number(false), null],
    ["no number", [], "no number"],
    ["a critical number", number(true), "a critical number"],
  ] as const)("take a list of %s, or do not", (_title, extensions, flaw) => {
    const root = Authority.create({ subject: "Root", key, ...PERIOD });
    const data = Buffer.from("data");
    const signature = signPkcs7(data, root.issue({ subject: "Signer", key, serial: 7n, ...PERIOD }));
    const outcome = (serial: bigint, profile?: "strict" | "compatible"): unknown => {
      const list = root.revocationList({
        bare: true,
        extensions,
        entries: [{ serial }],
        thisUpdate: AT - 1,
        nextUpdate: AT + DAY,
      });
      const revoked = { crls: [file("list.crl", list)], certificates: [], digests: [] };
      const { verdict, reason } = trusting([root.pem.certificate], { revoked, profile }).verify(
        data,
        signature,
        "PKCS7",
        AT,
      );
      return { errno: verdictName(verdict), reason };
    };
    expect(outcome(8n, "compatible")).toMatchObject({ errno: "0" });
    const refused = { errno: "-EKEYREJECTED", reason: expect.stringContaining(`has ${flaw}`) };
    expect(outcome(8n)).toMatchObject(flaw === null ? { errno: "0" } : refused);
    for (const profile of ["strict", "compatible"] as const)
      expect(outcome(7n, profile)).toMatchObject({ errno: "-EKEYREVOKED" });
  });
});
