// @module-tag deep
import { afterAll, describe, expect, it } from "vitest";
import { CheckedPolicies } from "../../src/prove/check/checked-policies.js";
import { digestsOf } from "../../src/prove/check/digests.js";
import { decisionAt } from "../../src/prove/check/examined.js";
import type { TableCertificate } from "../../src/prove/shared/certificate.js";
import { CertifiedFolder } from "../support/certificates.js";

const FILES = {
  "first.js": `import { deny, map_lookup, verify_program } from "countersign";
export const bpf_prog_load = (prog, { container }) => {
  if (container !== null && map_lookup("container_policy", "x").strict === true) return deny("strict", 13);
  return prog.effects.read_only ? 0 : verify_program(prog, "platform");
};
`,
  "second.js": `import { deny } from "countersign";
export const bpf_prog_load = (prog) => (prog.type === "lsm" ? deny(\`no \${prog.type}\`) : 0);
`,
};
const OWN = "export const bpf_prog_load = ({ name }, { comm }) => (name === comm ? -22 : 0);\n";

const ROWS = {
  first: '{ name: first, policy: first.js, on_fault: allow, scope: { exe: ["/usr/**"], uid: [0, 10-20] } }',
  second: '{ name: second, policy: second.js, scope: { labels: "tier in (a, b), !debug" } }',
  audited: "{ name: audited, policy: own.js, mode: audit }",
  own: "{ name: own, policy: own.js, scope: { container: false } }",
};
const all = Object.values(ROWS);

const folderOf = (rows: readonly string[], rule = "deny") =>
  new CertifiedFolder("own.js", OWN, { attachments: `[${rows.join(", ")}]`, default: rule, files: FILES });

const original = folderOf(all);
const certificate = original.make();
afterAll(() => original.remove());

/** The table of the configuration. */
const tableOf = ({ tables }: TableCertificate) => tables.find((one) => !("attachment" in one))!;

it("the decisions of attachments with scopes, modes, faults that allow and a default are certified", () => {
  const checked = original.check(JSON.stringify(certificate));
  expect(checked.map((one) => ("attachment" in one ? one.attachment : null))).toEqual([
    "first",
    "second",
    "audited",
    "own",
    null,
  ]);
  const text = JSON.stringify(tableOf(certificate));
  for (const by of ["first", "second", "own"]) expect(text).toContain(`"by":"${by}"`);
  expect(text).not.toContain('"by":"audited"');
  // Outside of all scopes, and where the only policy in scope fails
  expect(text).toMatch(/"verdict":-1,"reason":\["no enforcing attachment is in scope,[^"]*"\],"fault":null,"by":null/);
  expect(text).toMatch(/"reason":\["every enforcing attachment in scope failed/);
});

const changed = (name: keyof typeof ROWS, from: string, to: string) =>
  all.map((row) => (row === ROWS[name] ? row.replace(from, to) : row));

/** Other configurations, about which the decisions of this one are wrong. */
const OTHERS: Readonly<Record<string, CertifiedFolder>> = {
  "without the first attachment": folderOf(all.slice(1)),
  "without the last attachment": folderOf(all.slice(0, -1)),
  "with two attachments exchanged": folderOf([all[1]!, all[0]!, ...all.slice(2)]),
  "with an audited attachment that enforces": folderOf(changed("audited", "mode: audit", "mode: enforce")),
  "with an enforcing attachment in audit": folderOf(changed("own", "scope", "mode: audit, scope")),
  "with a fault that denies": folderOf(changed("first", "allow", "deny")),
  "with another default": folderOf(all, "allow"),
  "with a default that audits": folderOf(all, "audit"),
  "with another uid in a scope": folderOf(changed("first", "10-20", "10-21")),
  "with one uid less in a scope": folderOf(changed("first", "[0, 10-20]", "[10-20]")),
  "with another path in a scope": folderOf(changed("first", "/usr/**", "/usr/*")),
  "with another label in a scope": folderOf(changed("second", "tier in (a, b)", "tier in (a, c)")),
  "with a label less in a scope": folderOf(changed("second", "tier in (a, b)", "tier in (a)")),
  "with a label that is present in place of absent": folderOf(changed("second", "!debug", "debug")),
  "with a scope for containers": folderOf(changed("own", "container: false", "container: true")),
  "without a scope": folderOf(changed("own", ", scope: { container: false }", "")),
};

/** The certificate of the original, with its tree of decisions, as one of another configuration. */
function forgedFor(other: CertifiedFolder): string {
  const policies = new CheckedPolicies(other.config, {});
  const { stated } = decisionAt("bpf_prog_load", policies);
  policies.close();
  const tables = [{ ...stated, tree: tableOf(certificate).tree }];
  return JSON.stringify({ ...certificate, digests: digestsOf(other.config.file), tables });
}

describe.each(Object.entries(OTHERS))("a configuration %s", (_, other) => {
  it("has not these decisions: the certificate is rejected, and so is one that says it is about this one", () => {
    expect(() => other.check(JSON.stringify(certificate))).toThrow(expect.objectContaining({ code: "PROOF_OUTDATED" }));
    const code = expect.stringMatching(/^PROOF_(?:TREE|ANSWER|WITNESS|REFUTATION)_WRONG$/);
    expect(() => other.check(forgedFor(other))).toThrow(expect.objectContaining({ code }));
    other.remove();
  });
});

it("a policy that never fails decides the same whatever its faults do, but the certificate names that", () => {
  const other = folderOf(changed("second", "scope", "on_fault: allow, scope"));
  expect(() => other.check(JSON.stringify(certificate))).toThrow(expect.objectContaining({ code: "PROOF_OUTDATED" }));
  expect(other.check(forgedFor(other))).toHaveLength(1);
  other.remove();
});
