import { Command } from "commander";
import { stopGuard } from "../../../seal/sealing.js";
import { print } from "../../output/output.js";

/** `countersign seal stop`: ends an audit. */
export function stopCommand(): Command {
  return new Command("stop")
    .description("Detaches a guard that only audits")
    .addHelpText(
      "after",
      `
A guard that is sealed cannot be stopped before the next boot: the command then fails.

Example:
  countersign seal start --audit --list "lists/$(uname -r).list" && countersign seal log && countersign seal stop`,
    )
    .action(() => print(`stopped: ${stopGuard()} programs detached`));
}
