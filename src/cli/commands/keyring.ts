import { Command } from "commander";
import { checkCommand } from "./keyring/keyring-check.js";
import { importCommand } from "./keyring/keyring-import.js";
import { listCommand } from "./keyring/keyring-list.js";
import { validateCommand } from "./keyring/keyring-validate.js";

/** `countersign keyring`: commands about keyrings and certificate paths. */
export function command(): Command {
  return new Command("keyring")
    .description("Shows, checks and makes keyrings, and validates certificate paths")
    .addCommand(listCommand())
    .addCommand(checkCommand())
    .addCommand(importCommand())
    .addCommand(validateCommand())
    .addHelpText(
      "after",
      `
Examples:
  countersign keyring list
  countersign keyring check --days 90
  countersign keyring import --out certs/platform.pem ca.der
  countersign keyring validate --batch pkits.jsonl`,
    );
}
