import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import type { HookName } from "../src/hooks/catalogue.js";
import { HOOK_NAMES } from "../src/hooks/catalogue.js";
import { DEFAULT_LIMITS } from "../src/policy/attachment.js";
import { linkPolicy } from "../src/policy/linker/linker.js";
import { explore } from "../src/prove/explorer/exploration.js";
import type { Figure } from "./row.js";

export const title = "Prove: all paths of a policy, warm, with any maps, on one thread";

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
const ROUNDS = 20;
/** In milliseconds. */
const MOST = 100;

/** The median of 20 explorations of all hooks of each shipped policy, without the engine's decisions of examples. */
export async function rows(): Promise<Figure[]> {
  return POLICIES.map((name) => {
    const text = readFileSync(fileURLToPath(new URL(`../../../policies/${name}`, import.meta.url)), "utf8");
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
