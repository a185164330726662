// @module-tag deep
/**
 * How much of policies that operators wrote is decided by `prove table`, and which get a certificate. A row may only
 * become better: "not" < "partly" < "decided" < "certified".
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { checkedTables } from "../../src/cli/commands/prove/checked-certificate.js";
import type { CountersignError } from "../../src/error.js";
import { makeCertificate } from "../../src/prove/certificate/make-certificate.js";
import type { PlacedPolicies } from "../../src/prove/configuration/placed-policies.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import { withPolicies } from "../support/prove-configuration.js";

const folder = fileURLToPath(new URL("fixtures/operators", import.meta.url));
const BOUNDS = { paths: 1_000, timeout: 60_000 };

type Answer = "not" | "partly" | "decided" | "certified";
const ANSWERS: Readonly<Record<string, Answer>> = {
  "cilium-only": "certified",
  "count-maps": "certified",
  "count-rings": "certified",
  "dedupe-maps": "not",
  "exe-allow": "certified",
  "exe-limits": "certified",
  "limits-per-label": "partly",
  "lower-case": "certified",
  "maps-big": "certified",
  "object-name": "certified",
  "quota-writes": "certified",
  "seed-tc-unsigned": "certified",
  "seed-verify-all": "certified",
  "signer-list": "certified",
  "struct-rules": "certified",
  "time-window-hash-list": "certified",
  "try-map": "certified",
  "two-sums": "certified",
  "verified-insns": "certified",
};

const files = {
  "platform.pem": Authority.create({ subject: "platform" }).pem.certificate,
  "m.yaml": "{}\n",
  "limits.yaml": "{}\n",
  "countersign.yaml": `version: 1
keyrings: { platform: { trust: [platform.pem] } }
maps: { m: { file: m.yaml }, limits: { file: limits.yaml }, w: { writable: { entries: 1000, bytes: 1MiB } } }
attachments: [{ policy: policy.js }]
`,
};

function answerFor(policies: PlacedPolicies): Answer {
  const hooks = policies.placed.flatMap((placed) => placed.hooks);
  const paths = hooks.flatMap((hook) => policies.explore(hook, BOUNDS).paths);
  const decided = paths.filter(({ end }) => end.kind !== "not decided").length;
  if (decided < paths.length) return decided === 0 ? "not" : "partly";
  try {
    const certificate = JSON.stringify(makeCertificate(policies, () => true, BOUNDS));
    return [...checkedTables(certificate, policies.config, "c.json", [])].length > 0 ? "certified" : "decided";
  } catch (error) {
    expect((error as CountersignError).code).toBe("PROOF_UNSUPPORTED");
    return "decided";
  }
}

it("has a row for each policy", () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(ANSWERS).map((name) => `${name}.js`));
});

it.each(Object.entries(ANSWERS))("%s: %s", { timeout: 300_000 }, (name, answer) => {
  const policy = readFileSync(join(folder, `${name}.js`), "utf8");
  expect(withPolicies({ ...files, "policy.js": policy }, answerFor)).toBe(answer);
});
