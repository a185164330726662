import { Command } from "commander";
import { command } from "../../../seal/status.js";
import { print } from "../../output/output.js";

/** `countersign seal require-signatures`: what the guard takes from now on has to be signed. */
export function requireSignaturesCommand(): Command {
  return new Command("require-signatures")
    .description("Has the guard take only what is signed, until the next boot")
    .addHelpText(
      "after",
      `
A switch with one direction, like fs.verity.require_signatures: what the guard is given later has to be signed. The list
in force stays. In this version the switch has no effect, since the guard takes no other list before the next boot.
Needs root, and a seal.

Example:
  countersign seal require-signatures`,
    )
    .action(() => {
      command("requireSignatures");
      print("signatures are required until the next boot");
    });
}
