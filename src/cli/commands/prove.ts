import { Command } from "commander";
import { checkCommand } from "./prove/prove-check.js";
import { compareCommand } from "./prove/prove-compare.js";
import { deadCommand } from "./prove/prove-dead.js";
import { propertyCommand } from "./prove/prove-property.js";
import { tableCommand } from "./prove/prove-table.js";
import { witnessCommand } from "./prove/prove-witness.js";

/** `countersign prove`: commands about all decisions that a configuration can make. */
export function command(): Command {
  return new Command("prove")
    .description("Finds every answer that policies can give, for all programs and callers")
    .addCommand(tableCommand())
    .addCommand(propertyCommand())
    .addCommand(compareCommand())
    .addCommand(deadCommand())
    .addCommand(witnessCommand())
    .addCommand(checkCommand())
    .addHelpText(
      "after",
      `
Examples:
  countersign prove table
  countersign prove table --markdown countersign.yaml > decisions.md
  countersign prove property
  countersign prove compare countersign.yaml new.yaml
  countersign prove dead
  countersign prove witness --row 2 --out witness
  countersign prove table --certificate decisions.cert.json
  countersign prove check decisions.cert.json`,
    );
}
