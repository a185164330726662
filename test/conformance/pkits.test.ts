/**
 * NIST PKITS: 247 certificate paths with what a validator by RFC 5280 has to say of each. The vectors are looked for in
 * COUNTERSIGN_VECTORS, or in a folder `shared/vectors` beside this repository.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CountersignError } from "../../src/error.js";
import { ANY_POLICY, dotted, oid } from "../../src/trust/asn1/oid.js";
import { Window } from "../../src/trust/base/window.js";
import { findPath } from "../../src/trust/path/path.js";
import type { PolicyRules } from "../../src/trust/path/policy-graph.js";
import { Revocation } from "../../src/trust/path/revocation.js";
import { Certificate } from "../../src/trust/x509/certificate.js";
import { CertificateIndex } from "../../src/trust/x509/certificate-index.js";
import { Crl } from "../../src/trust/x509/crl.js";
import exceptions from "./pkits-exceptions.json" with { type: "json" };

interface Vectors {
  readonly certs: Readonly<Record<string, string>>;
  readonly crls: Readonly<Record<string, string>>;
  readonly cases: readonly Case[];
}

interface Case {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly certs: readonly string[];
  readonly crls: readonly string[];
  readonly shouldValidate: boolean;
  readonly calls: readonly (readonly [setting: string, value: string])[];
}

const root = join(import.meta.dirname, "../..");
const file = join(process.env.COUNTERSIGN_VECTORS ?? join(root, "../shared/vectors"), "pkits.json");
const vectors: Vectors | null = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
const AT = Date.UTC(2020, 0, 1);

describe("NIST PKITS", () => {
  if (vectors === null) {
    it("validates every path as it should", (context) => context.skip("needs pkits.json in COUNTERSIGN_VECTORS"));
    return;
  }
  const { cases } = vectors;

  it("has all its cases here, and few exceptions", () => {
    expect(cases).toHaveLength(247);
    expect(exceptions.length).toBeLessThanOrEqual(5);
    expect(exceptions.filter(({ id }) => !cases.some((known) => known.id === id))).toEqual([]);
  });

  it.each(cases.map((one) => [one.id, one.name, one] as const))("%s %s", (id, _name, one) => {
    const outcome = judge(vectors, one);
    const exception = exceptions.find((known) => known.id === id);
    if (exception !== undefined) {
      expect(outcome).toMatchObject({ valid: !one.shouldValidate, rule: exception.rule });
      return;
    }
    expect(outcome).toMatchObject({ valid: one.shouldValidate });
    const expected = policySet(one, "SetUserConstrainedPolicySet");
    if (outcome.valid && expected !== null) expect(outcome.policies).toEqual(expected);
  });
});

interface Outcome {
  readonly valid: boolean;
  readonly rule: string | null;
  readonly reason: string | null;
  readonly policies: readonly string[];
}

function judge({ certs, crls }: Vectors, one: Case): Outcome {
  try {
    const [anchor, ...others] = one.certs.map((name) => new Certificate(bytes(certs, name)));
    const target = others.at(-1) as Certificate;
    const lists = one.crls.map((name) => new Crl(bytes(crls, name)));
    const rules = {
      validity: "now" as const,
      purposes: null,
      blocked: () => null,
      profile: "compatible" as const,
      issuerBlocked: () => null,
      authorities: new CertificateIndex(),
      policies: policyRules(one),
      revocation: new Revocation(lists, [], "require"),
    };
    const anchors = new CertificateIndex([anchor as Certificate]);
    const found = findPath(target, anchors, new CertificateIndex(others.slice(0, -1)), rules, new Window(AT));
    if ("verdict" in found) return { valid: false, rule: found.rule, reason: found.reason, policies: [] };
    return { valid: true, rule: null, reason: null, policies: [...found.policies].map(dotted).sort() };
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return { valid: false, rule: error.code, reason: error.message, policies: [] };
  }
}

function bytes(table: Readonly<Record<string, string>>, name: string): Buffer {
  return Buffer.from(table[name] as string, "base64");
}

function policyRules(one: Case): PolicyRules {
  const said = (setting: string): boolean => one.calls.some(([name, value]) => name === setting && value === "true");
  const initial = policySet(one, "SetInitialPolicySet");
  return {
    acceptable: initial === null ? null : new Set(initial.map(oid)),
    requireExplicit: said("SetInitialExplicitPolicy"),
    inhibitMapping: said("SetInitialPolicyMappingInhibit"),
    inhibitAny: said("SetInitialInhibitAnyPolicy"),
  };
}

/** Policies in dots, sorted; null where the case leaves the default. */
function policySet({ calls }: Case, setting: string): readonly string[] | null {
  const call = calls.find(([name]) => name === setting);
  if (call === undefined) return null;
  const names = call[1]
    .replaceAll('"', "")
    .split(",")
    .filter((name) => name !== "");
  return names
    .map((name) =>
      name === "anyPolicy" ? dotted(ANY_POLICY) : name.replace("NIST-test-policy-", "2.16.840.1.101.3.2.1.48."),
    )
    .sort();
}
