import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { readConfig } from "../src/config/config.js";
import type { HookName } from "../src/hooks/catalogue.js";
import { HOOK_NAMES } from "../src/hooks/catalogue.js";
import { linkPolicy } from "../src/policy/linker/linker.js";
import { compareDecisions, comparedHooks } from "../src/prove/compare/comparison.js";
import { DefinitionChanges } from "../src/prove/compare/definition-changes.js";
import { PlacedPolicies } from "../src/prove/configuration/placed-policies.js";
import { explore } from "../src/prove/explorer/exploration.js";
import { proveProperty } from "../src/prove/property/property-answer.js";
import { propertiesOf } from "../src/prove/property/property-file.js";
import { DEFAULT_LIMITS } from "../src/sandbox/shared/limits.js";
import type { Figure } from "./row.js";

export const title = "Prove: all paths of policies, with any maps, on one thread";

const POLICIES = [
  "allow-unsigned-tc.js",
  "container-lockdown.js",
  "debug-read-only.js",
  "hash-allow-list.js",
  "no-kernel-read.js",
  "no-packet-redirect.js",
  "observe.js",
  "optional-signature.js",
  "program-budget.ts",
  "verify-all.js",
  "verify-blobs.js",
];
const NAMES = {
  keyrings: ["platform", "network"],
  maps: ["debug_read_only", "allowed_programs", "container_policy", "program_budget"],
};
const PROPERTIES = ["never_faults", "nothing_unsigned_loads"];
const ROUNDS = 20;
/** In milliseconds. */
const MOST = 100;

/** In milliseconds, for a configuration with nine attachments: a property of it, and a comparison of two versions. */
const MOST_PROVED = 5_000;
const MOST_COMPARED = 10_000;
/** In megabytes. */
const MOST_MEMORY = 300;
const BOUNDS = { paths: 100_000, timeout: 60_000 };
const KEY =
  "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA8oCnugo1qOxuz5KhS2BbkbWS47FuLwqOq9NCudjmNSs=\n-----END PUBLIC KEY-----\n";

export async function rows(): Promise<Figure[]> {
  const times = [...explorations(), ...inFolder(configurations)];
  const { maxRSS } = process.resourceUsage();
  const memory = Math.round(maxRSS / 1024);
  return [
    ...times,
    { name: "the most memory of all of this", figure: memory, unit: "MB", limit: MOST_MEMORY, note: "resident" },
  ];
}

function textOf(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../../policies/${name}`, import.meta.url)), "utf8");
}

/** Calls `use` with the files of a configuration in a folder, which is removed afterwards. */
function inFolder<T>(use: (placed: (tiers: string) => PlacedPolicies) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  try {
    for (const name of POLICIES) writeFileSync(join(folder, name), textOf(name));
    writeFileSync(join(folder, "key.pem"), KEY);
    return use((tiers) => {
      const config = join(folder, "countersign.yaml");
      writeFileSync(config, configurationFor(tiers));
      return new PlacedPolicies(readConfig(config, "check"));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Questions about a configuration, with the engine's decisions of examples: properties that ship, and a comparison; in
 * the other version a scope of the fourth attachment has another label.
 */
function configurations(placed: (tiers: string) => PlacedPolicies): Figure[] {
  const [old, its] = [placed("prod, edge"), placed("prod, edge, test")];
  const figures = propertiesOf(fileURLToPath(new URL("../../../properties/shipped.js", import.meta.url)))
    .filter(({ name }) => PROPERTIES.includes(name))
    .map((property) => {
      const begin = performance.now();
      const { answer, paths, doubts } = proveProperty(old, "bpf_prog_load", property, BOUNDS);
      const figure = Math.round(performance.now() - begin);
      const found = answer === "not decided" ? `not decided, ${doubts[0]?.why}` : answer;
      const note = `nine attachments, ${paths} paths: ${found}; once`;
      return { name: `property ${property.name}`, figure, unit: "ms", limit: MOST_PROVED, note } satisfies Figure;
    });
  const begin = performance.now();
  const changes = new DefinitionChanges(old, its);
  const options = { bounds: BOUNDS, comparesReasons: false };
  const answers = comparedHooks(old, its).map((hook) => compareDecisions(old, its, hook, changes, options));
  const figure = Math.round(performance.now() - begin);
  const paths = answers.reduce((sum, one) => sum + one.paths, 0);
  const found = answers.map(({ answer, doubts }) => (doubts.length > 0 ? "not decided" : answer)).join(", ");
  const note = `nine attachments, ${paths} paths, each decided by the engine: ${found}; once`;
  const name = "compare two versions of a configuration";
  return [...figures, { name, figure, unit: "ms", limit: MOST_COMPARED, note }];
}

function configurationFor(tiers: string): string {
  return `version: 1
keyrings: { platform: { trust: [key.pem] }, network: { trust: [key.pem] } }
maps:
${NAMES.maps.map((map) => `  ${map}: { writable: { entries: 10, bytes: 1KiB } }`).join("\n")}
attachments:
  - { policy: verify-blobs.js }
  - { policy: no-kernel-read.js, scope: { labels: "tier=edge" } }
  - { policy: no-packet-redirect.js, scope: { container: true } }
  - { policy: allow-unsigned-tc.js, scope: { labels: "tier in (${tiers})" } }
  - { policy: container-lockdown.js }
  - { policy: debug-read-only.js, scope: { uid: [0] } }
  - { policy: hash-allow-list.js, scope: { labels: "app=net" } }
  - { policy: optional-signature.js, mode: audit }
  - { policy: verify-all.js, scope: { container: false } }
`;
}

/** The median of 20 explorations of all hooks of each shipped policy, without the engine's decisions of examples. */
function explorations(): Figure[] {
  return POLICIES.map((name) => {
    const text = textOf(name);
    // The file that erases types is not in a bundle of rows
    const { code } = transformSync(text, { loader: name.endsWith(".ts") ? "ts" : "js" });
    const file = name.replace(/ts$/, "js");
    const files = { read: () => code, root: "." };
    const hooks = linkPolicy(file, { ...files, hookNames: HOOK_NAMES }).hooks as readonly HookName[];
    const run = () => {
      const bounds = { paths: 10_000, timeout: 60_000 };
      return hooks.map((hook) => explore({ file, files }, hook, NAMES, DEFAULT_LIMITS, bounds));
    };
    const paths = run().reduce((sum, one) => sum + one.paths.length, 0);
    const times = Array.from({ length: ROUNDS }, () => {
      const begin = performance.now();
      run();
      return performance.now() - begin;
    });
    const median = times.sort((a, b) => a - b)[ROUNDS / 2]!;
    return { name, figure: Math.round(median), unit: "ms", limit: MOST, note: `${paths} paths` };
  });
}
