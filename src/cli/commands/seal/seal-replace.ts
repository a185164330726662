import { Command } from "commander";
import { readListFile, within } from "../../../seal/list-file.js";
import { replaceList } from "../../../seal/replacement.js";
import { print } from "../../output/output.js";
import { titleOfList } from "./seal-list.js";

/** `countersign seal replace`: a new list for a machine that is sealed. */
export function replaceCommand(): Command {
  return new Command("replace")
    .description("Replaces the list of a sealed machine by one that the trusted key signed")
    .requiredOption("--list <file>", "the programs that may be loaded from now on; LIST.p7s has its signature")
    .addHelpText(
      "after",
      `
The guard copies the list, and the kernel verifies its signature with the trusted key that the machine was sealed with.
The list must be for this kernel, and its generation greater than that in force. If it is rejected, the list in force
stays. Programs that are loaded stay. The next boot begins with the list of its initramfs, so write that again, too.

Needs root, and a seal with --trusted-key.

Example:
  countersign seal replace --list "lists/$(uname -r).list"`,
    )
    .action(replace);
}

function replace({ list: path }: { readonly list: string }): void {
  const file = readListFile(path);
  within(path, () => replaceList(file));
  print(`in force: ${titleOfList(file.list)}`);
}
