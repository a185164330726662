import { Command, CommanderError } from "commander";
import { CountersignError } from "../error.js";
import { VERSION } from "../version.js";
import { COMMANDS } from "./commands.js";
import { EXIT } from "./exit.js";
import { complain } from "./output.js";

/** Runs one command line and says how the process should exit. A command's module is loaded only when it is asked for. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("countersign")
    .description("Decides which BPF programs and other code may run with kernel privilege, by small policies.")
    .version(VERSION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", "\nExample:\n  countersign init demo && cd demo && countersign check program.o\n");
  const wanted = argv[2];
  for (const [name, entry] of Object.entries(COMMANDS)) {
    if (name === wanted) program.addCommand((await entry.load()).command().exitOverride());
    else program.command(name).description(entry.summary);
  }
  try {
    await program.parseAsync([...argv]);
    return process.exitCode === undefined ? EXIT.ok : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.undecided;
    complain(error instanceof CountersignError ? error : new CountersignError("INTERNAL", describe(error)));
    return EXIT.undecided;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
