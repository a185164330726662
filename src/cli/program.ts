import { Command } from "commander";
import { VERSION } from "../version.js";
import { COMMANDS } from "./commands.js";

/**
 * The command line. Imports only the module of the command `wanted`, and all modules if that command reads the others,
 * or if `wanted` is null. A command that is not imported has its name and its summary alone.
 */
export async function commandLine(wanted: string | null): Promise<Command> {
  const program = new Command("countersign")
    .description("Decides which BPF programs and other code may run with kernel privilege, by small policies.")
    .version(VERSION)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", "\nExample:\n  countersign init demo && cd demo && countersign check program.o\n");
  const all = wanted === null || (Object.hasOwn(COMMANDS, wanted) && COMMANDS[wanted]?.readsOthers === true);
  for (const [name, entry] of Object.entries(COMMANDS)) {
    if (all || name === wanted) program.addCommand((await entry.load()).command());
    else program.command(name).description(entry.summary);
  }
  return program;
}
