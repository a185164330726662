import { Command } from "commander";
import { DEFAULT_CONFIG } from "../../config/config.js";
import { type CacheOption, noCacheOption, openCache } from "../input/cache-option.js";
import { openEnginesForTests } from "../input/open-engine.js";
import { EXIT } from "../output/exit.js";
import { printJson } from "../output/output.js";

/** `countersign test`: runs the tests beside the configuration's policies. */
export function command(): Command {
  return new Command("test")
    .description("Runs the tests beside the configuration's policies: POLICY.test.yaml beside POLICY.js")
    .option("--config <file>", "the configuration", DEFAULT_CONFIG)
    .option("--json", "one JSON object with the cases, and the attachments and hooks without one")
    .option("--junit <file>", "also write the results as JUnit XML")
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

Exits with 0 when every case is as expected, 1 when one is not, 2 when one could not be run or there is none.

Examples:
  countersign test --config edge/countersign.yaml
  countersign test --junit results.xml`,
    )
    .action(test);
}

interface Options extends CacheOption {
  readonly config: string;
  readonly json?: true;
  readonly junit?: string;
}

async function test({ config: path, json, junit: file, ...options }: Options): Promise<void> {
  const { config, open } = await openEnginesForTests(path, openCache(options));
  const [{ runTests }, { printTests }] = await Promise.all([
    import("../../workbench/testing/test-run.js"),
    import("../output/test-report.js"),
  ]);
  const { results, untested, warnings } = await runTests(config, open);
  const { warn } = await import("../output/output.js");
  warnings.forEach(warn);
  if (file !== undefined) {
    const [{ junit }, { writeWhole }] = await Promise.all([
      import("../../workbench/testing/junit.js"),
      import("../files/write.js"),
    ]);
    writeWhole(file, Buffer.from(junit(results)));
  }
  if (json === true) printJson({ cases: results, untested });
  else printTests(results, untested);
  process.exitCode = results.every(({ passed }) => passed) ? EXIT.ok : EXIT.denied;
}
