import { relative } from "node:path";
import { type AcceptedMutant, acceptedMutants } from "../../config/accepted-mutants.js";
import type { Config } from "../../config/config.js";
import { TestProbe } from "../../engine/decision/test-probe.js";
import type { FileSnapshot } from "../../engine/load/file-cache.js";
import type { TimedEngine } from "../../engine/timed-engine.js";
import { CountersignError } from "../../error.js";
import { type PolicyTest, policyTests } from "../testing/policy-tests.js";
import { type OpenEngine, runCase, unhurried } from "../testing/test-run.js";
import { type Mutant, mutantsOf } from "./mutants.js";

/** What became of one changed policy. */
export interface MutantResult {
  /** `file:line:column` in the policy. */
  readonly place: string;
  /** The change, such as `a < b -> a <= b`. */
  readonly mutant: string;
  /** `accepted`: no test notices it, and `POLICY.mutants.yaml` says why. */
  readonly status: "noticed" | "survived" | "accepted";
  /** The case that noticed it, or the error with which the policy did not start; null if nothing did. */
  readonly by: string | null;
  /** Why it is accepted; null if it is not. */
  readonly reason: string | null;
}

export interface MutationRun {
  readonly mutants: readonly MutantResult[];
  /** How many mutants there are; more than `mutants` if they were limited. */
  readonly total: number;
}

/** Called before each mutant is tested. */
export type OnMutant = (tested: number, of: number, place: string) => void | Promise<void>;

interface Planned {
  readonly path: string;
  readonly mutant: Mutant;
}

/**
 * Tests each mutant of each file of the tested policies: whether a case, run with the changed policy, is no longer as
 * expected. At most `limit` mutants are tested, at regular distances over all of them, so that the same ones are tested
 * each time. Throws USAGE if a case fails without any change, and CONFIG_INVALID for an entry of `POLICY.mutants.yaml`
 * that no surviving mutant has.
 */
export async function runMutants(
  config: Config,
  open: OpenEngine,
  limit: number,
  onMutant: OnMutant = () => undefined,
): Promise<MutationRun> {
  const tests = policyTests(config);
  const { files, texts } = await policyFiles(config, open, tests);
  const all = [...files.keys()].flatMap((path) => {
    return mutantsOf(relative("", path), texts.get(path)!).map((mutant): Planned => ({ path, mutant }));
  });
  const count = Math.min(limit, all.length);
  const chosen = Array.from({ length: count }, (_, index) => all[Math.floor((index * all.length) / count)]!);
  const accepted = new Map([...files.keys()].map((path) => [path, acceptedMutants(path)]));
  for (const of of new Set(files.values()).keys()) await rejectFailing(config, open, of, texts);
  const mutants: MutantResult[] = [];
  for (const [index, { path, mutant }] of chosen.entries()) {
    await onMutant(index, chosen.length, mutant.place);
    const by = await noticed(config, open, files.get(path)!, new Map(texts).set(path, mutant.text));
    mutants.push(resultOf(mutant, by, accepted.get(path)!));
  }
  if (count === all.length) for (const entries of accepted.values()) rejectUnused(entries, mutants);
  return { mutants, total: all.length };
}

/** The files of the tested policies, by path, with the tests that run them; and the texts of all files. */
async function policyFiles(
  config: Config,
  open: OpenEngine,
  tests: readonly PolicyTest[],
): Promise<{ files: ReadonlyMap<string, readonly PolicyTest[]>; texts: FileSnapshot }> {
  const engine = await open(new TestProbe(true));
  const points = engine.points();
  const { texts } = engine;
  engine.close();
  const files = new Map<string, PolicyTest[]>();
  for (const test of tests) {
    const named = new Set(points.get(test.attachment)!.map(({ file }) => file));
    for (const path of texts.keys()) {
      const isOwn = path === test.policy || [...named].some((file) => isFile(path, file, config));
      if (!isOwn || test.cases.length === 0) continue;
      files.set(path, [...(files.get(path) ?? []), test]);
    }
  }
  return { files, texts };
}

/** Whether a file of a point, relative to the configuration and with slashes, has this path. */
function isFile(path: string, file: string, { file: config }: Config): boolean {
  return relative(`${config}/..`, path).replaceAll("\\", "/") === file;
}

/** What notices a change: the place of a case, or an error at start; null if nothing does. */
async function noticed(
  config: Config,
  open: OpenEngine,
  tests: readonly PolicyTest[],
  texts: FileSnapshot,
): Promise<string | null> {
  const probe = new TestProbe(false);
  let engine: TimedEngine;
  try {
    // Otherwise a busy machine would change the result
    engine = await open(probe, unhurried(config), texts);
  } catch (error) {
    if (error instanceof CountersignError && error.code !== "INTERNAL") return error.code;
    throw error;
  }
  try {
    for (const test of tests)
      for (const one of test.cases)
        if ((await runCase(engine, probe, test, one)).some(({ passed }) => !passed)) return relative("", one.place);
    return null;
  } finally {
    engine.close();
  }
}

async function rejectFailing(
  config: Config,
  open: OpenEngine,
  tests: readonly PolicyTest[],
  texts: FileSnapshot,
): Promise<void> {
  const place = await noticed(config, open, tests, texts);
  if (place === null) return;
  throw new CountersignError("USAGE", "a case fails with the policies as they are, so that no change can be told", {
    place,
    remedy: "correct the policy or the case first: see `countersign test`",
  });
}

function resultOf({ place, from, to }: Mutant, by: string | null, accepted: readonly AcceptedMutant[]): MutantResult {
  const mutant = `${from} -> ${to}`;
  if (by !== null) return { place, mutant, status: "noticed", by, reason: null };
  const entry = accepted.find((one) => one.mutant === mutant);
  if (entry === undefined) return { place, mutant, status: "survived", by, reason: null };
  return { place, mutant, status: "accepted", by, reason: entry.reason };
}

function rejectUnused(entries: readonly AcceptedMutant[], mutants: readonly MutantResult[]): void {
  const unused = entries.find(
    ({ mutant }) => !mutants.some((one) => one.mutant === mutant && one.status === "accepted"),
  );
  if (unused === undefined) return;
  const exists = mutants.some(({ mutant }) => mutant === unused.mutant);
  throw new CountersignError(
    "CONFIG_INVALID",
    exists ? `a case notices \`${unused.mutant}\`` : `there is no change \`${unused.mutant}\` of the policy`,
    { place: unused.place, remedy: exists ? "remove the entry" : "write it as `countersign test --mutate` prints it" },
  );
}
