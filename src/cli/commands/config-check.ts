import { Command } from "commander";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { checkConfig } from "../../workbench/lint/configuration.js";
import { withoutIgnored } from "../../workbench/lint/ignored.js";
import { EXIT } from "../output/exit.js";
import { printFindings } from "../output/findings.js";
import { print, printJson } from "../output/output.js";

/** `countersign config check`: validates a configuration, and none of the files that it names. */
export function checkCommand(): Command {
  return new Command("check")
    .description("Validates a configuration alone, without the files that it names")
    .argument("[file]", "a configuration", DEFAULT_CONFIG)
    .option("--json", "one JSON object: `file` and `findings`")
    .addHelpText(
      "after",
      `
Reports unknown keys, values that are not allowed, label selectors that cannot be parsed, scopes that no task can be in,
and attachments that repeat another. Policies, keyrings and maps need not exist: \`countersign lint\` checks them too.

Exits with 0 when the configuration is valid, 1 when something was found, 2 when the file could not be read.

Examples:
  countersign config check
  countersign config check --json deploy/countersign.yaml`,
    )
    .action(check);
}

function check(file: string, { json }: { readonly json?: true }): void {
  const findings = withoutIgnored(checkConfig(file).findings);
  if (json === true) printJson({ file, findings: findings.map(({ fix: _, ...finding }) => finding) });
  else if (findings.length > 0) printFindings(findings);
  else print(`${file}: valid`);
  if (findings.length > 0) process.exitCode = EXIT.denied;
}
