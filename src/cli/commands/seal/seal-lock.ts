import { Command } from "commander";
import { command } from "../../../seal/status.js";
import { print } from "../../output/output.js";

/** `countersign seal lock`: no program is loaded any more. */
export function lockCommand(): Command {
  return new Command("lock")
    .description("Denies every further load of a program until the next boot")
    .addHelpText(
      "after",
      `
Programs that are loaded stay, and can be attached. Nothing takes it back before the next boot. Needs root, and a seal.

Example:
  countersign seal lock`,
    )
    .action(() => {
      command("lock");
      print("locked: no program can be loaded until the next boot");
    });
}
