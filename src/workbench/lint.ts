import { existsSync } from "node:fs";
import { extname } from "node:path";
import { testFile } from "../config/test-file.js";
import { CountersignError } from "../error.js";
import type { Unit } from "../policy/units/units.js";
import type { LintedConfig } from "./lint/configuration.js";
import { withoutIgnored } from "./lint/ignored.js";
import { type Finding, inOrder } from "./lint/model/finding.js";
import { lintPolicy } from "./lint/policy.js";
import { ofError, shownPath } from "./lint/reported.js";

export type { Finding } from "./lint/model/finding.js";

export interface LintOptions {
  /** Also checks types, with the user's own TypeScript. */
  readonly types?: boolean;
  /** Also names reads of facts that a scan does not know. */
  readonly forScan?: boolean;
}

export interface LintResult {
  /** In order of file and place. */
  readonly findings: readonly Finding[];
  /** The configurations and policies that were checked, by their paths relative to the working directory. */
  readonly files: readonly string[];
  /** Files that were named and cannot be read. */
  readonly unreadable: readonly CountersignError[];
}

const POLICY = /^\.(?:js|mjs|ts)$/;

/**
 * Checks configurations with everything that they name, also their shadows, and policies alone. Does not decide, run a
 * policy or write a log. Throws USAGE for a file that is neither, and if types cannot be checked.
 */
export async function lint(
  paths: readonly string[],
  { types = false, forScan = false }: LintOptions = {},
): Promise<LintResult> {
  const findings: Finding[] = [];
  const files = new Set<string>();
  const unreadable: CountersignError[] = [];
  const policies = new Map<string, Map<string, readonly Unit[]>>();
  const left = paths.map(shownPath);
  for (let path = left.shift(); path !== undefined; path = left.shift()) {
    try {
      const isConfig = isConfigPath(path);
      const result = isConfig
        ? await (await import("./lint/configuration.js")).lintConfig(path, forScan)
        : await policyAlone(path, forScan);
      files.add(path);
      findings.push(...result.findings);
      const { shadow } = result;
      if (shadow !== null && !files.has(shadow) && !left.includes(shadow)) left.push(shadow);
      for (const units of result.policies) {
        const own = units.at(-1)?.source.file;
        if (own === undefined) continue;
        files.add(own);
        const { declarations } = result;
        policies.set(declarations, (policies.get(declarations) ?? new Map()).set(own, units));
      }
    } catch (error) {
      const { code } = ofError(error);
      if (code !== "FILE_UNREADABLE" && code !== "FILE_TOO_LARGE") throw error;
      unreadable.push(error as CountersignError);
    }
  }
  if (types && policies.size > 0) {
    const { typeFindings } = await import("./lint/types/type-check.js");
    for (const [declarations, own] of policies) findings.push(...typeFindings([...own.values()], declarations));
  }
  return { findings: inOrder(withoutIgnored(findings)), files: [...files], unreadable };
}

async function policyAlone(path: string, forScan: boolean): Promise<LintedConfig> {
  // Few policies have a test in YAML, and its schema takes longer to load than the policy to check.
  const test = existsSync(testFile(path)) ? (await import("./lint/tests.js")).lintTest(path) : null;
  const labels = test?.labels ?? new Set<string>();
  const { findings, units } = lintPolicy(path, { guaranteed: new Set(), labels, forScan });
  return { findings: [...(test?.findings ?? []), ...findings], policies: [units], declarations: "", shadow: null };
}

function isConfigPath(path: string): boolean {
  const ending = extname(path);
  if (ending === ".yaml" || ending === ".yml" || ending === ".json") return true;
  if (POLICY.test(ending)) return false;
  throw new CountersignError("USAGE", `\`${path}\` is neither a policy nor a configuration`, {
    remedy: "name a .js, .mjs or .ts file, or a .yaml file",
  });
}
