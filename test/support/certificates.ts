/** Certificates of the policies that ship, in a configuration in a folder. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkedTables } from "../../src/cli/commands/prove/checked-certificate.js";
import { type Config, readConfig } from "../../src/config/config.js";
import type { MapSchemaRules } from "../../src/policy/maps/map-schema.js";
import { makeCertificate, makePropertyCertificate } from "../../src/prove/certificate/make-certificate.js";
import { PlacedPolicies } from "../../src/prove/configuration/placed-policies.js";
import type { PropertySource } from "../../src/prove/explorer/rewritten-policy.js";
import type { TableCertificate } from "../../src/prove/shared/certificate.js";
import { KEY } from "./prove-property.js";

const POLICIES = join(import.meta.dirname, "../../policies");

export const SHIPPED = readdirSync(POLICIES).filter((name) => /^[\w-]+\.(js|ts)$/.test(name) && !/\.test\./.test(name));

const MAPS = ["debug_read_only", "allowed_programs", "container_policy", "program_budget"];

/** The rest of a configuration, and the files that it names beside the policy. */
interface More {
  /** The attachments in YAML; only the policy if absent. */
  readonly attachments?: string;
  readonly default?: string;
  /** The schema of the map `program_budget`. */
  readonly schema?: MapSchemaRules;
  readonly files?: Readonly<Record<string, string>>;
}

/** A configuration with one policy or several, in a folder of its own. */
export class CertifiedFolder {
  readonly folder = mkdtempSync(join(tmpdir(), "countersign-"));
  readonly config: Config;

  constructor(
    readonly name: string,
    text: string,
    { attachments = `[{ policy: ${name} }]`, default: its = "allow", files = {}, schema }: More = {},
  ) {
    const maps = MAPS.map((map) => {
      const rules = { writable: { entries: 10, bytes: "1KiB" }, ...(map === "program_budget" ? schema : {}) };
      return `  ${map}: ${JSON.stringify(rules)}\n`;
    });
    const keyrings = "keyrings: { platform: { trust: [key.pem] }, network: { trust: [key.pem] } }\n";
    this.write("key.pem", KEY);
    this.write(name, text);
    for (const [file, content] of Object.entries(files)) this.write(file, content);
    const rules = `default: { bpf_prog_load: ${its} }\nattachments: ${attachments}\n`;
    this.write("countersign.yaml", `version: 1\n${keyrings}maps:\n${maps.join("")}${rules}`);
    this.config = readConfig(join(this.folder, "countersign.yaml"), "check");
  }

  static shipped(name: string): CertifiedFolder {
    return new CertifiedFolder(name, readFileSync(join(POLICIES, name), "utf8"));
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  make(): TableCertificate {
    const policies = new PlacedPolicies(this.config);
    try {
      return makeCertificate(policies, () => true, { paths: 2_000, timeout: 600_000 });
    } finally {
      policies.close();
    }
  }

  /** The certificate of properties of the decisions about loads of programs. */
  prove(properties: readonly PropertySource[]): TableCertificate {
    const policies = new PlacedPolicies(this.config);
    const questions = properties.map((property) => ({ hook: "bpf_prog_load" as const, property }));
    try {
      return makePropertyCertificate(policies, questions, { paths: 2_000, timeout: 600_000 });
    } finally {
      policies.close();
    }
  }

  /** Checks a certificate as it is in a file. */
  check(json: string, properties: readonly PropertySource[] = []) {
    return [...checkedTables(json, this.config, "c.json", properties)];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
