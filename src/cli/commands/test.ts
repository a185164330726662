import { Command, InvalidArgumentError } from "commander";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { noCacheOption } from "../input/cache-option.js";
import type { TestOptions } from "../testing/test-command.js";
import { countOf, MAX_PATHS, TIMEOUT } from "./prove/limits.js";

/** `countersign test`: runs the tests beside the configuration's policies. */
export function command(): Command {
  return new Command("test")
    .description("Runs the tests beside the configuration's policies: POLICY.test.yaml beside POLICY.js")
    .option("--config <file>", "the configuration", DEFAULT_CONFIG)
    .option("--json", "one JSON object with the cases, and the attachments and hooks without one")
    .option("--junit <file>", "also write the results as JUnit XML")
    .option("--coverage", "show which lines and branches of the policies no case reaches")
    .option("--lcov <file>", "also write the coverage as a tracefile of lcov")
    .option("--min-coverage <percent>", "exit with 1 if the lines or branches of a file have less", percent)
    .option("--prove", "also prove the properties beside the policies: POLICY.properties.js beside POLICY.js")
    .option("--max-paths <number>", "the most paths of one property", countOf, MAX_PATHS)
    .option("--timeout <seconds>", "the most time for all properties together", countOf, TIMEOUT)
    .option("--mutate", "show which changes of policies no case notices: operators, conditions, values, statements")
    .option("--mutants <number>", "the most changed policies to test, evenly chosen", number, 1000)
    .option("--watch", "run again whenever a policy, test, map or the configuration changes; ends with Ctrl-C")
    .addOption(noCacheOption())
    .addHelpText(
      "after",
      `
A test is a list of cases. Each has a subject and the expected answer of the policy: \`allow\`, \`deny\`, a verdict such
as \`-EPERM\`, \`fault\` or \`fault CODE\`, or \`not asked\`. A case that expects anything else fails on a fault. The
subject is a \`file\`, whose path is relative to the test, or is described with \`program\`, \`map\` or \`blob\`. The
caller is described with \`labels\`, \`uid\`, \`comm\` and the other fields of \`current\`, the state with \`maps\`
and \`time\`, and answers of helpers with \`helpers\`. docs/testing.md has every key.

  - { file: ../program.o, labels: { tier: edge }, expect: -EPERM, reason: is not signed }
  - { program: { type: kprobe, helpers: [bpf_send_signal] }, helpers: { verify_program: 0 }, expect: allow }

With --prove, each function that POLICY.properties.js exports is a case, too: a property of all decisions of the policy
by itself, as for \`countersign prove property\`. It passes if it is proved; it fails if it is refuted or not decided,
such as when --max-paths or --timeout is reached. POLICY.HOOK.properties.js has those of one hook of a policy with
several.

Exits with 0 when every case is as expected, 1 when one is not, when coverage is less than required or when no test
notices a changed policy, 2 when a case could not be run or there is none.

Examples:
  countersign test --config edge/countersign.yaml
  countersign test --junit results.xml --lcov coverage.info --min-coverage 100
  countersign test --prove --timeout 300
  countersign test --mutate
  countersign test --watch`,
    )
    .action(async (options: TestOptions) => {
      const { test } = await import("../testing/test-command.js");
      process.exitCode = await test(options);
    });
}

function percent(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError("It is not a number from 0 to 100.");
}

function number(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("It is not a positive whole number.");
}
