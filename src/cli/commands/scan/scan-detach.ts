import { Command } from "commander";
import { CountersignError } from "../../../error.js";
import { objectNamed } from "../../input/object-name.js";
import type { DetachOptions } from "./detach.js";

/** `countersign scan detach`: removes one attachment or pin of what is loaded. */
export function detachCommand(): Command {
  return new Command("detach")
    .description("Says how a program, map or link can be detached or unpinned, and with --yes removes one attachment")
    .argument("<object>", "KIND:ID, as in `program:72`, `link:12` and `map:31`")
    .option("--at <place>", "the attachment or pin to remove, as this command prints it")
    .option("--tag <tag>", "only if the program, or that of the link, has this tag")
    .option("--yes", "remove it")
    .option("--json", "one JSON object a line: what can be removed, or was")
    .addHelpText(
      "after",
      `
Without --yes, it says what it would do, and changes nothing. With --yes it removes exactly one attachment or pin, after
it has scanned again and found the same object (tag, time of the load) in the same place. A record of it goes to the
kernel's log (dmesg) before. An object with several attachments needs --at.

Removing a program that decides opens what it closed. A detached link stays listed until its last holder closes it.
Links of type tracing, raw_tracepoint, perf_event, kprobe_multi, uprobe_multi and iter are not detached by the kernel:
end the process that holds them, or remove their pin.

Exits with 0 if it was removed, or would be; with 2 if it was not, or cannot be.

Examples:
  countersign scan detach program:72
  countersign scan detach program:72 --at "tcx_ingress on eth0" --tag 40aea5b4a1b12f91 --yes
  countersign scan detach link:12 --yes
  countersign scan detach map:31 --at /sys/fs/bpf/limits --yes`,
    )
    .action(async (name: string, _: unknown, command: Command) => {
      const object = objectNamed(name);
      const options = optionsOf(command);
      const { detach } = await import("./detach.js");
      await detach(object, options);
    });
}

/**
 * The options, also those that `scan` has, too: commander gives these to `scan`. Throws USAGE for other options of
 * `scan`, which mean nothing here.
 */
function optionsOf(command: Command): DetachOptions {
  const own = new Set(command.options.map((option) => option.attributeName()));
  for (const option of command.parent?.options ?? []) {
    const name = option.attributeName();
    if (own.has(name) || command.parent?.getOptionValueSource(name) !== "cli") continue;
    throw new CountersignError("USAGE", `${option.long} goes without \`detach\``, {
      remedy: "see `countersign scan detach --help`",
    });
  }
  return command.optsWithGlobals();
}
