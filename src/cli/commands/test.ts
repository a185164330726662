import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { Command } from "commander";
import type { PolicyCase } from "../../config/cases.js";
import { DEFAULT_CONFIG } from "../../config/config.js";
import { decideFile } from "../../engine/file-decisions.js";
import type { TimedEngine } from "../../engine/timed-engine.js";
import { verdictName } from "../../errno.js";
import { CountersignError } from "../../error.js";
import type { Answer } from "../../hooks/decision.js";
import { faultText } from "../../hooks/denial.js";
import { ROOT_ON_HOST } from "../../policy/model/current.js";
import { type CacheOption, noCacheOption, openCache } from "../input/cache-option.js";
import { callerWith } from "../input/caller-options.js";
import { openEngine } from "../input/open-engine.js";
import { EXIT } from "../output/exit.js";
import { print, printJson, styled } from "../output/output.js";
import { table } from "../output/table.js";
import { unusedReasons } from "../output/unused-reasons.js";

/** `countersign test`: runs the tests beside the configuration's policies. */
export function command(): Command {
  return new Command("test")
    .description("Runs the tests beside the configuration's policies: POLICY.test.yaml beside POLICY.js")
    .option("--config <file>", "the configuration", DEFAULT_CONFIG)
    .option("--json", "one JSON array of cases")
    .addOption(noCacheOption())
    .addHelpText(
      "after",
      `
A test is a list of cases. Each names a file and the expected answer of the policy: \`allow\`, \`deny\`, a verdict such
as \`-EPERM\`, \`fault\` or \`fault CODE\`, or \`not asked\`. A case that expects anything else fails on a fault. The
caller is described with \`labels\`, \`uid\` and \`comm\`; paths are relative to the test.

  - { file: ../program.o, labels: { tier: edge }, expect: -EPERM, reason: is not signed }

Exits with 0 when every case is as expected, 1 when one is not, 2 when one could not be run.

Example:
  countersign test --config edge/countersign.yaml`,
    )
    .action(test);
}

interface Result {
  readonly attachment: string;
  readonly place: string;
  readonly file: string;
  readonly expected: string;
  readonly got: string;
  /** Reasons given to `deny` that did not lead to the answer. */
  readonly unused_reasons: readonly string[];
  readonly passed: boolean;
}

interface Options extends CacheOption {
  readonly config: string;
  readonly json?: true;
}

async function test({ config, json, ...options }: Options): Promise<void> {
  const engine = await openEngine(config, "check", openCache(options));
  const { readCases } = await import("../../config/cases.js");
  try {
    const results: Result[] = [];
    for (const { attachment, file } of engine.policies()) {
      const cases = file.replace(/\.[a-z]+$/, ".test.yaml");
      if (!existsSync(cases)) continue;
      for (const one of readCases(cases)) results.push(...(await run(engine, attachment, cases, one)));
    }
    if (results.length === 0) throw nothing(config);
    if (json === true) printJson(results);
    else report(results);
    process.exitCode = results.every(({ passed }) => passed) ? EXIT.ok : EXIT.denied;
  } finally {
    engine.close();
  }
}

/** Runs one case. A file with several programs gives one result for each program. */
async function run(engine: TimedEngine, attachment: string, cases: string, one: PolicyCase): Promise<Result[]> {
  const current = callerWith(ROOT_ON_HOST, one);
  const decided = await decideFile(engine, resolve(dirname(cases), one.file), { current, hook: one.hook });
  return decided.map(({ decision: { subject, answers } }) => {
    const answer = answers.find((its) => its.attachment === attachment) ?? null;
    const expected = one.reason === undefined ? one.expect : `${one.expect}: …${one.reason}…`;
    return {
      attachment,
      place: relative("", one.place),
      file: `${one.file} ${subject.name}`,
      expected,
      got: got(answer),
      unused_reasons: answer?.unused_reasons ?? [],
      passed: holds(one, answer),
    };
  });
}

function holds({ expect, reason }: PolicyCase, answer: Answer | null): boolean {
  if (answer === null) return expect === "not asked";
  const text = answer.fault === null ? (answer.denial?.reason ?? "") : faultText(answer.fault);
  return answers(expect, answer) && (reason === undefined || text.includes(reason));
}

/** A fault is not a verdict, even with `on_fault: allow`: it satisfies only a case that expects a fault. */
function answers(expect: string, { fault, verdict }: Answer): boolean {
  if (fault !== null) return expect === "fault" || expect === `fault ${fault.code}`;
  return { allow: verdict === 0, deny: verdict !== 0 }[expect] ?? expect === verdictName(verdict);
}

function got(answer: Answer | null): string {
  if (answer === null) return "not asked";
  if (answer.fault !== null) return `fault ${answer.fault.code}: ${faultText(answer.fault)}`;
  return answer.denial === null ? "allow" : `${verdictName(answer.verdict)}: ${answer.denial.reason}`;
}

function report(results: readonly Result[]): void {
  const word = (passed: boolean) => (passed ? styled("green", "passed") : styled("red", "failed"));
  const row = ({ passed, place, file, expected, got, ...its }: Result) => {
    return [word(passed), place, file, (passed ? got : `expected ${expected}, got ${got}`) + unusedReasons(its)];
  };
  print(table(["", "CASE", "SUBJECT", "ANSWER"], results.map(row)));
  const failed = results.filter(({ passed }) => !passed).length;
  print(`\n${results.length - failed} passed, ${failed} failed`);
}

function nothing(config: string): CountersignError {
  return new CountersignError("USAGE", "no policy has a test beside it, or all their lists of tests are empty", {
    place: config,
    remedy: "write POLICY.test.yaml beside a policy; see `countersign test --help`",
  });
}
