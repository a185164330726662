/** Configurations drawn by chance, with two policies. */
import { KEY } from "./prove-property.js";
import { randomPolicy } from "./random-policies.js";

const SCOPES = [
  "{}",
  "{ container: true }",
  "{ container: false }",
  "{ uid: [0, 1000-4096] }",
  '{ labels: "tier in (edge, a), !app" }',
  '{ labels: "tier!=edge,net" }',
  '{ exe: ["a", "/usr/**"], comm: ["*"] }',
  '{ container: ["edge*", "a"] }',
];

/** The texts of a configuration with two policies drawn by chance. */
export function randomFiles(next: (below: number) => number): Readonly<Record<string, string>> {
  const pick = (of: readonly string[]) => of[next(of.length)]!;
  const attachments = ["one.js", "two.js"].map((policy) => {
    const [mode, fault] = [pick(["enforce", "enforce", "audit"]), pick(["deny", "allow"])];
    return `  - { policy: ${policy}, mode: ${mode}, on_fault: ${fault}, scope: ${pick(SCOPES)} }`;
  });
  const maps = ["debug_read_only", "allowed_programs", "container_policy", "program_budget"].map(
    (name) => `  ${name}: { writable: { entries: 10, bytes: 1KiB } }`,
  );
  const yaml = [
    "version: 1",
    `mode: ${pick(["enforce", "enforce", "audit"])}`,
    `default: { bpf_prog_load: ${pick(["allow", "deny", "audit"])} }`,
    "keyrings: { platform: { trust: [key.pem] }, network: { trust: [key.pem] } }",
    `maps:\n${maps.join("\n")}`,
    `attachments:\n${attachments.join("\n")}`,
  ];
  const [one, two] = [randomPolicy(next), randomPolicy(next)];
  return { "one.js": one, "two.js": two, "key.pem": KEY, "countersign.yaml": `${yaml.join("\n")}\n` };
}
