import { Command } from "commander";
import { upgradeCommand } from "./config-upgrade.js";

/** `countersign config`: commands that change configurations. */
export function command(): Command {
  return new Command("config")
    .description("Brings a configuration up to date")
    .addCommand(upgradeCommand())
    .addHelpText(
      "after",
      `
Examples:
  countersign config upgrade countersign.yaml
  countersign config upgrade --write countersign.yaml`,
    );
}
