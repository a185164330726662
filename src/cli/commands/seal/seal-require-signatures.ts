import { Command } from "commander";
import { CountersignError } from "../../../error.js";
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
loaded stay. Needs root, and a seal with --signers.

Example:
  countersign seal require-signatures`,
    )
    .action(() => {
      if (readStatus()?.programRing === null)
        throw new CountersignError("SEAL_DENIED", "the guard has no signers, and would deny every program", {
          remedy: "seal with `--signers FILE`; `countersign seal lock` denies every program",
        });
      command("requireSignatures");
      print("signatures are required until the next boot");
    });
}
