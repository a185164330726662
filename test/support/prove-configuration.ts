/** Configurations in a folder of their own, and random tasks and programs for their decisions. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config/config.js";
import { PlacedPolicies } from "../../src/prove/configuration/placed-policies.js";

/** Runs with the policies of a configuration; `files` has `countersign.yaml` and what it names. */
export function withPolicies<T>(files: Readonly<Record<string, string>>, act: (policies: PlacedPolicies) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const policies = new PlacedPolicies(readConfig(join(folder, "countersign.yaml"), "check"));
    try {
      return act(policies);
    } finally {
      policies.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
