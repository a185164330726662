import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type PropertyAnswer, proveProperty } from "../../../../src/prove/property/property-answer.js";
import { concerns, SHIPPED_PROPERTIES, shippedProperties } from "../../../../src/prove/property/shipped-properties.js";
import { withPolicies } from "../../../support/prove-configuration.js";
import { KEY } from "../../../support/prove-property.js";

const FOLDER = join(import.meta.dirname, "../../../../policies");
const POLICIES = readdirSync(FOLDER).filter((name) => /^[\w-]+\.(js|ts)$/.test(name) && !name.includes(".test."));

const CONFIGURATION = (policy: string) => `version: 1
keyrings: { platform: { trust: [key.pem] }, network: { trust: [key.pem] } }
maps:
  ${["debug_read_only", "allowed_programs", "container_policy", "program_budget"].map((map) => `${map}: { writable: { entries: 10, bytes: 1KiB } }`).join("\n  ")}
attachments: [{ policy: ${policy} }]
`;

/** What is not decided of program-budget, whose map can have anything. */
const BUDGET =
  "not decided: `<=` of something else than numbers; arithmetic whose result may be infinite; " +
  "`*` of something else than finite numbers";

/**
 * The answer for each property, by policy and hook, in a configuration with two keyrings and maps with any contents.
 * optional-signature.js fails if a load names a keyring that the configuration does not have, hash-allow-list.js if a
 * list in its map has null in it, or a name that cannot be written as text ({ "toString": 0 }).
 */
const ANSWERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "allow-unsigned-tc.js bpf_prog_load": {
    never_faults: "proved",
    nothing_unsigned_loads: "refuted",
    revoked_signers_never_load: "refuted",
    audit_equals_enforce: "proved",
    unknown_labels_allow_no_more: "proved",
  },
  "container-lockdown.js bpf_prog_load": {
    never_faults: "proved",
    nothing_unsigned_loads: "refuted",
    revoked_signers_never_load: "refuted",
    audit_equals_enforce: "proved",
    unknown_labels_allow_no_more: "proved",
  },
  "debug-read-only.js bpf_prog_load": {
    never_faults: "proved",
    nothing_unsigned_loads: "refuted",
    revoked_signers_never_load: "refuted",
    audit_equals_enforce: "proved",
    unknown_labels_allow_no_more: "proved",
  },
  "hash-allow-list.js bpf_prog_load": {
    never_faults: "refuted",
    nothing_unsigned_loads: "refuted",
    revoked_signers_never_load: "refuted",
    audit_equals_enforce: "proved",
    unknown_labels_allow_no_more: "proved",
  },
  "no-kernel-read.js bpf_prog_load": {
    never_faults: "proved",
    nothing_unsigned_loads: "refuted",
    revoked_signers_never_load: "refuted",
    audit_equals_enforce: "proved",
    unknown_labels_allow_no_more: "proved",
  },
  "no-packet-redirect.js bpf_prog_load": {
    never_faults: "proved",
    nothing_unsigned_loads: "refuted",
    revoked_signers_never_load: "refuted",
    audit_equals_enforce: "proved",
    unknown_labels_allow_no_more: "proved",
  },
  "observe.js bpf_prog_load": {
    never_faults: "proved",
    nothing_unsigned_loads: "refuted",
    revoked_signers_never_load: "refuted",
    audit_equals_enforce: "proved",
    unknown_labels_allow_no_more: "proved",
  },
  "optional-signature.js bpf_prog_load": {
    never_faults: "refuted",
    nothing_unsigned_loads: "refuted",
    revoked_signers_never_load: "refuted",
    audit_equals_enforce: "proved",
    unknown_labels_allow_no_more: "proved",
  },
  "program-budget.ts bpf_prog_load": {
    never_faults: BUDGET,
    nothing_unsigned_loads: "refuted",
    revoked_signers_never_load: "refuted",
    audit_equals_enforce: BUDGET,
    unknown_labels_allow_no_more: BUDGET,
  },
  "program-budget.ts bpf_prog": {
    never_faults: "not decided: `<=` of something else than numbers",
    nothing_unsigned_loads: "refuted",
    revoked_signers_never_load: "refuted",
    audit_equals_enforce: "not decided: `<=` of something else than numbers",
    unknown_labels_allow_no_more: "not decided: `<=` of something else than numbers",
  },
  "verify-all.js bpf_prog_load": {
    never_faults: "proved",
    nothing_unsigned_loads: "proved",
    revoked_signers_never_load: "proved",
    audit_equals_enforce: "proved",
    unknown_labels_allow_no_more: "proved",
  },
  "verify-blobs.js blob_verify": {
    never_faults: "proved",
    audit_equals_enforce: "proved",
    unknown_labels_allow_no_more: "proved",
  },
};

describe("the properties that ship", () => {
  it("are those that --list describes", () => {
    expect(shippedProperties().map(({ name }) => name)).toEqual(Object.keys(SHIPPED_PROPERTIES));
  });

  it.each(POLICIES)("are answered for %s as expected", { tags: ["deep"], timeout: 600_000 }, (policy) => {
    const files = {
      [policy]: readFileSync(join(FOLDER, policy), "utf8"),
      "key.pem": KEY,
      "countersign.yaml": CONFIGURATION(policy),
    };
    const answers = withPolicies(files, (policies) =>
      policies.hooks.flatMap((hook) =>
        shippedProperties()
          .filter(({ name }) => concerns(name, hook))
          .map((property) => proveProperty(policies, hook, property, { paths: 2_000, timeout: 600_000 })),
      ),
    );
    const found: Record<string, Record<string, string>> = {};
    for (const one of answers) {
      const name = `${policy} ${one.hook}`;
      found[name] = { ...found[name], [one.property]: wordsOf(one) };
    }
    const expected = Object.entries(ANSWERS).filter(([name]) => name.startsWith(`${policy} `));
    expect(found).toEqual(Object.fromEntries(expected));
    expect(answers.flatMap(({ doubts }) => doubts).filter(({ contradicted }) => contradicted)).toEqual([]);
  });
});

function wordsOf({ answer, doubts }: PropertyAnswer): string {
  if (answer !== "not decided") return answer;
  return `${answer}: ${doubts.map(({ why }) => why).join("; ")}`;
}
