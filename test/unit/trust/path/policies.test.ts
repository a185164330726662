/** Certificate policies: qualifiers that are not known, and the policies and constraints of an anchor. */
import { describe, expect, it } from "vitest";
import { element, identifier, integer, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { EXTENSION } from "../../../../src/trust/asn1/oid.js";
import { context, TAG } from "../../../../src/trust/asn1/tag.js";
import { Authority, extension } from "../../../../src/trust/issuing/authority.js";
import { judgePath, type PathCase, type PathVerdict } from "../../../../src/trust/path-case.js";

const AT = Date.UTC(2026, 5, 1);
const PERIOD = { notBefore: AT - 1000, notAfter: AT + 1000 };
const { key } = Authority.create({ subject: "Key", ...PERIOD });
const ANY = "2.5.29.32.0";
const URI = "1.3.6.1.5.5.7.2.1";

type Place = "anchor" | "root" | "between" | "signer";

function judge(extensions: Partial<Record<Place, readonly Buffer[]>>, more: Partial<PathCase> = {}): PathVerdict {
  const make = (place: Place) => ({ key, ...PERIOD, extensions: extensions[place] ?? [] });
  const root = Authority.create({ subject: "Root", ...make("root") });
  const between = root.subordinate({ subject: "Between", ...make("between") });
  const signer = between.issue({ subject: "Signer", ...make("signer") });
  const alone = Authority.create({ subject: "Alone", authority: false, ...make("anchor") });
  const own = extensions.anchor === undefined ? { trust: root, leaf: signer } : { trust: alone, leaf: alone };
  return judgePath({
    trust: [own.trust.pem.certificate],
    untrusted: [between.pem.certificate],
    leaf: own.leaf.pem.certificate,
    ...{ crls: [], at: AT, usage: [], policies: [], freshness: null },
    ...more,
  });
}

const held = (policies: readonly string[], critical = false, ...qualifiers: readonly Buffer[]): Buffer =>
  extension(
    EXTENSION.certificatePolicies,
    sequence(
      ...policies.map((policy) =>
        sequence(identifier(policy), ...(qualifiers.length === 0 ? [] : [sequence(...qualifiers)])),
      ),
    ),
    critical,
  );
const uri = sequence(identifier(URI), element(TAG.ia5String, Buffer.from("https://a.example")));
const unknown = sequence(identifier("1.2.3.4.5"), element(TAG.octetString, Buffer.from("x")));

describe("a policy qualifier", () => {
  const PLACES = ["anchor", "root", "between", "signer"] as const;
  const REJECTED = { errno: "EKEYREJECTED", rule: "RFC 5280 4.2.1.4" };

  it.each(PLACES)("that is not known rejects the certificate if the extension is critical: %s", (place) => {
    expect(judge({ [place]: [held(["1.2.3"], true, unknown)] })).toMatchObject({
      ...REJECTED,
      reason: expect.stringContaining("the unknown policy qualifier 1.2.3.4.5 in a critical extension"),
    });
    expect(judge({ [place]: [held(["1.2.3"], true, uri, unknown)] })).toMatchObject(REJECTED);
    expect(judge({ [place]: [held([ANY], true, unknown)] })).toMatchObject(REJECTED);
    expect(judge({ [place]: [held(["1.2.3"], false, unknown)] })).toMatchObject({ ok: true });
    expect(judge({ [place]: [held(["1.2.3"], true, uri)] })).toMatchObject({ ok: true });
    expect(judge({ [place]: [held(["1.2.3"], true)] })).toMatchObject({ ok: true });
  });
});

describe("an anchor's policies", () => {
  const below = (policies: readonly string[]) => ({ between: [held(policies)], signer: [held(policies)] });
  const wanting = (...policies: readonly string[]) => ({ policies });
  const OUTCOME = { errno: "EKEYREJECTED", rule: "RFC 5280 6.1.5 (g)" };

  it.each([
    ["none", undefined, ["1.2.3"], ["1.2.3"], true],
    ["the same", ["1.2.3"], ["1.2.3"], ["1.2.3"], true],
    ["any", [ANY], ["1.2.3"], ["1.2.3"], true],
    ["any and others", ["1.2.4", ANY], ["1.2.3"], ["1.2.3"], true],
    ["others", ["1.2.4"], ["1.2.3"], ["1.2.3"], false],
    ["one of two that are wanted", ["1.2.4"], ["1.2.4"], ["1.2.3", "1.2.4"], true],
    ["one of two that are wanted, and the path has the other", ["1.2.4"], ["1.2.3"], ["1.2.3", "1.2.4"], false],
    ["one, and the path has any", ["1.2.3"], [ANY], ["1.2.3"], true],
    ["another, and the path has any", ["1.2.4"], [ANY], ["1.2.3"], false],
  ] as const)("limit those that a keyring accepts: %s", (_, own, path, wanted, ok) => {
    const extensions = { ...below(path), ...(own === undefined ? {} : { root: [held(own)] }) };
    expect(judge(extensions, wanting(...wanted))).toMatchObject(ok ? { ok } : OUTCOME);
  });

  it("do not matter to a keyring that asks for none", () => {
    expect(judge({ root: [held(["1.2.4"])], ...below(["1.2.3"]) })).toMatchObject({ ok: true });
    expect(judge({ root: [held(["1.2.4"])] })).toMatchObject({ ok: true });
  });
});

describe("an anchor's policy constraints", () => {
  const constraints = (explicit: number | null, mapping: number | null): Buffer =>
    extension(
      EXTENSION.policyConstraints,
      sequence(
        ...(explicit === null ? [] : [element(context(0, false), Buffer.of(explicit))]),
        ...(mapping === null ? [] : [element(context(1, false), Buffer.of(mapping))]),
      ),
      true,
    );
  const everywhere = { between: [held(["1.2.3"])], signer: [held(["1.2.3"])] };

  it.each([
    [0, {}, "RFC 5280 6.1.3 (f)"],
    [1, {}, "RFC 5280 6.1.3 (f)"],
    [2, {}, "RFC 5280 6.1.5 (g)"],
    [9, {}, null],
    [0, everywhere, null],
    [0, { between: everywhere.between }, "RFC 5280 6.1.3 (f)"],
  ] as const)("require a policy after %d certificates: %j", (after, path, rule) => {
    const verdict = judge({ root: [constraints(after, null)], ...path });
    expect(verdict).toMatchObject(rule === null ? { ok: true } : { errno: "EKEYREJECTED", rule });
  });

  it("end the mapping of policies", () => {
    const mapping = extension(
      EXTENSION.policyMappings,
      sequence(sequence(identifier("1.2.3"), identifier("1.2.4"))),
      true,
    );
    const path = { between: [held(["1.2.3"]), mapping], signer: [held(["1.2.4"])] };
    const wanted = { policies: ["1.2.3"] };
    expect(judge(path, wanted)).toMatchObject({ ok: true });
    expect(judge({ root: [constraints(null, 0)], ...path }, wanted)).toMatchObject({ errno: "EKEYREJECTED" });
    expect(judge({ root: [constraints(null, 5)], ...path }, wanted)).toMatchObject({ ok: true });
  });

  it("end what anyPolicy stands for", () => {
    const path = { between: [held([ANY])], signer: [held(["1.2.3"])] };
    const wanted = { policies: ["1.2.3"] };
    const inhibit = (after: number) => extension(EXTENSION.inhibitAnyPolicy, integer(after), true);
    expect(judge(path, wanted)).toMatchObject({ ok: true });
    expect(judge({ root: [inhibit(0)], ...path }, wanted)).toMatchObject({ errno: "EKEYREJECTED" });
    expect(judge({ root: [inhibit(5)], ...path }, wanted)).toMatchObject({ ok: true });
  });

  it("do not matter if the anchor is the signer", () => {
    expect(judge({ anchor: [constraints(0, 0)] })).toMatchObject({ ok: true });
  });
});

describe("a name constraint of a host", () => {
  const subtree = (host: string, list: 0 | 1) =>
    extension(
      EXTENSION.nameConstraints,
      sequence(element(context(list, true), sequence(element(context(2, false), Buffer.from(host))))),
      true,
    );

  it.each([
    ["root", 0],
    ["root", 1],
    ["between", 0],
    ["between", 1],
  ] as const)("with a leading period is rejected by profile strict: %s, %d", (place, list) => {
    const strict = { profile: "strict" } as const;
    const rejected = { errno: "EKEYREJECTED", rule: "RFC 5280 4.2.1.10" };
    expect(judge({ [place]: [subtree(".example.com", list)] }, strict)).toMatchObject(rejected);
    expect(judge({ [place]: [subtree("example.com", list)] }, strict)).toMatchObject({ ok: true });
    expect(judge({ [place]: [subtree(".example.com", list)] })).toMatchObject({ ok: true });
  });
});
