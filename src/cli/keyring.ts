import { Command } from "commander";
import { validateCommand } from "./keyring-validate.js";

/** `countersign keyring`: what keyrings hold, and what certificate paths are worth. */
export function command(): Command {
  return new Command("keyring").description("Looks into keyrings and certificate paths").addCommand(validateCommand());
}
