import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { decisionTables } from "../../../../src/prove/table/decision-table.js";
import { withPolicies } from "../../../support/prove-configuration.js";
import { own } from "../../../support/workplace.js";

const KEY =
  "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA8oCnugo1qOxuz5KhS2BbkbWS47FuLwqOq9NCudjmNSs=\n-----END PUBLIC KEY-----\n";
const schema = JSON.parse(readFileSync(own("schema/tables.schema.json"), "utf8"));
const isValid = new Ajv2020({ allowUnionTypes: true, strictTypes: false }).compile(schema);

/** With the forms of conditions that differ, and names of each kind. */
const POLICIES = ["hash-allow-list.js", "optional-signature.js", "program-budget.ts", "verify-blobs.js"];
const RULES = `import { map_lookup } from "countersign";
export function bpf_prog_load(prog, current) {
  if (prog.maps.some((map) => map.type === "hash" && map.key_size > 4)) return -1;
  if (prog.name.startsWith("a") || prog.name.endsWith("b") || prog.name.includes("c") || prog.name < "d") return -2;
  if (/x+/i.test(prog.name) || prog.section === prog.name || prog.name.startsWith(prog.license + "/")) return -3;
  return map_lookup("program_budget", "a") > 5 || map_lookup("program_budget", \`\${current.uid}\`) === 0.5 ? -4 : 0;
}
`;

it("describes the tables in JSON, with a condition of every kind that policies ask for", () => {
  const texts = POLICIES.map((name) => [name, readFileSync(join(own("policies"), name), "utf8")] as const);
  const attachments = [...POLICIES, "rules.js"].map((name) => `{ policy: ${name} }`).join(", ");
  const maps = ["allowed_programs", "container_policy", "program_budget"];
  const files = {
    ...Object.fromEntries(texts),
    "rules.js": RULES,
    "key.pem": KEY,
    "empty.yaml": "{}\n",
    "countersign.yaml": `version: 1
keyrings: { platform: { trust: [key.pem] }, network: { trust: [key.pem] } }
maps: { ${maps.map((name) => `${name}: { file: empty.yaml }`).join(", ")} }
attachments: [${attachments}]
`,
  };
  const tables = withPolicies(files, (policies) => {
    return [...decisionTables(policies, () => true, { paths: 2_000, timeout: 60_000 })];
  });
  const json = JSON.parse(JSON.stringify({ tables, configuration: [], assumes: [] }));
  expect(isValid(json) ? null : isValid.errors).toBeNull();
  const kinds = new Set(JSON.stringify(json).match(/"kind":"\w+"/g));
  expect(kinds.size).toBeGreaterThan(12);
  json.tables[0].rows[0].atoms.push({ atom: { kind: "equals", of: "prog.name" }, is: true });
  expect(isValid(json)).toBe(false);
});
