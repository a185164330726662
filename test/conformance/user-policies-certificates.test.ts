// @module-tag deep
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { checkedTables } from "../../src/cli/commands/prove/checked-certificate.js";
import { readConfig } from "../../src/config/config.js";
import { makeCertificate } from "../../src/prove/certificate/make-certificate.js";
import { PlacedPolicies } from "../../src/prove/configuration/placed-policies.js";

const folder = fileURLToPath(new URL("fixtures/user-policies", import.meta.url));

/** Attachments of users' policies that are certified at all of their hooks; null for the whole configuration. */
const CERTIFIED: readonly (readonly [policy: string, attachment: string | null, tables: number])[] = [
  ["bank-four-eyes", null, 4],
  ["cloud-baseline", "network-team", 1],
  ["cloud-baseline", "network-team-tenants", 1],
  ["distro-kernel-signature", null, 2],
  ["edge-appliances", null, 2],
  ["fleet-signed-only", null, 2],
  ["honeypot-research", "bait", 1],
  ["k8s-tiers", null, 4],
  ["scheduler-lab", null, 6],
  ["tracing-team", null, 2],
  ["trading-latency", null, 2],
  ["verifier-budget", null, 2],
];

it.each(CERTIFIED)("%s is certified (%s)", { timeout: 120_000 }, (name, attachment, count) => {
  const config = readConfig(join(folder, name, "countersign.yaml"), "check");
  const policies = new PlacedPolicies(config);
  const limits = { paths: 1_000, timeout: 60_000 };
  const certificate = makeCertificate(policies, (one) => one.name === (attachment ?? one.name), limits);
  policies.close();
  expect([...checkedTables(JSON.stringify(certificate), config, "c.json", [])]).toHaveLength(count);
});
