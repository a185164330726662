import { Command } from "commander";
import { checkCommand } from "./config-check.js";
import { upgradeCommand } from "./config-upgrade.js";

/** `countersign config`: commands about configurations. */
export function command(): Command {
  return new Command("config")
    .description("Validates a configuration, or brings it up to date")
    .addCommand(checkCommand())
    .addCommand(upgradeCommand())
    .addHelpText(
      "after",
      `
Examples:
  countersign config check countersign.yaml
  countersign config upgrade countersign.yaml
  countersign config upgrade --write countersign.yaml`,
    );
}
