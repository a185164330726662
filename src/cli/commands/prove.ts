import { Command } from "commander";
import { propertyCommand } from "./prove/prove-property.js";
import { tableCommand } from "./prove/prove-table.js";

/** `countersign prove`: commands about all decisions that a configuration can make. */
export function command(): Command {
  return new Command("prove")
    .description("Finds every answer that policies can give, for all programs and callers")
    .addCommand(tableCommand())
    .addCommand(propertyCommand())
    .addHelpText(
      "after",
      `
Examples:
  countersign prove table
  countersign prove table --markdown countersign.yaml > decisions.md
  countersign prove property`,
    );
}
