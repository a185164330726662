import { existsSync } from "node:fs";
import { type PolicyCase, readCases } from "../../config/cases.js";
import type { Config } from "../../config/config.js";
import { testFile } from "../../config/test-file.js";
import type { TimedEngine } from "../../engine/timed-engine.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import { didYouMean } from "../../nearest.js";
import type { CaseResult } from "./case-result.js";

/** The test beside the policy of one attachment. */
export interface PolicyTest {
  readonly attachment: string;
  /** Absolute path of the policy, and of its test. */
  readonly policy: string;
  readonly file: string;
  readonly cases: readonly PolicyCase[];
}

/** An attachment, or some of its hooks, that no case asks. */
export interface Untested {
  readonly attachment: string;
  readonly hooks: readonly HookName[];
  /** Whether these are all of its hooks. */
  readonly is_whole: boolean;
}

/**
 * The tests beside the policies of a configuration, one for each attachment. Throws USAGE if there is no case at all,
 * and CONFIG_INVALID for a case with a mistake.
 */
export function policyTests(config: Config): readonly PolicyTest[] {
  const tests = config.attachments.flatMap(({ name, policy }): PolicyTest[] => {
    const file = testFile(policy);
    return existsSync(file) ? [{ attachment: name, policy, file, cases: readCases(file) }] : [];
  });
  for (const { cases } of tests) for (const one of cases) checkMaps(config, one);
  if (tests.some(({ cases }) => cases.length > 0)) return tests;
  throw new CountersignError("USAGE", "no policy has a test beside it, or all their lists of tests are empty", {
    place: config.file,
    remedy: "write POLICY.test.yaml beside a policy; see `countersign test --help`",
  });
}

function checkMaps({ maps }: Config, one: PolicyCase): void {
  const known = maps.map(({ name }) => name);
  const unknown = Object.keys(one.maps).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new CountersignError(
    "CONFIG_INVALID",
    `gives contents to the map \`${unknown}\`, which is not configured${didYouMean(unknown, known)}`,
    { place: one.place, remedy: "add it under `maps` of the configuration, or correct the test" },
  );
}

/** What no case asks, in the order of the configuration. */
export function untested(engine: TimedEngine, results: readonly CaseResult[]): readonly Untested[] {
  return engine.attached().flatMap(({ name, hooks }) => {
    const asked = new Set(
      results.filter((one) => one.attachment === name && one.got !== "not asked").map(({ hook }) => hook),
    );
    const left = hooks.filter((hook) => !asked.has(hook));
    return left.length === 0 ? [] : [{ attachment: name, hooks: left, is_whole: left.length === hooks.length }];
  });
}
