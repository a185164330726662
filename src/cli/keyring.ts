import { Command } from "commander";
import { checkCommand } from "./keyring-check.js";
import { importCommand } from "./keyring-import.js";
import { listCommand } from "./keyring-list.js";
import { validateCommand } from "./keyring-validate.js";

/** `countersign keyring`: what keyrings hold, and what certificate paths are worth. */
export function command(): Command {
  return new Command("keyring")
    .description("Looks into keyrings and certificate paths")
    .addCommand(listCommand())
    .addCommand(checkCommand())
    .addCommand(importCommand())
    .addCommand(validateCommand());
}
