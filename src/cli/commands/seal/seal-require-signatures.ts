import { Command } from "commander";
import { command, readStatus } from "../../../seal/status.js";
import { print } from "../../output/output.js";

/** `countersign seal require-signatures`: what the guard takes from now on has to be signed. */
export function requireSignaturesCommand(): Command {
  return new Command("require-signatures")
    .description("Has the guard let only signed programs load, until the next boot")
    .addHelpText(
      "after",
      `
A switch with one direction, like fs.verity.require_signatures. From then on a program is loaded only if the kernel
verified a signature over its instructions by the certificates of --signers, also if the list has it. Programs that are
loaded stay. Without --signers nothing is loaded any more. Needs root, and a seal.

Example:
  countersign seal require-signatures`,
    )
    .action(() => {
      command("requireSignatures");
      const without =
        readStatus()?.programRing === null ? "; there are no signers, so that no program can be loaded" : "";
      print(`signatures are required until the next boot${without}`);
    });
}
