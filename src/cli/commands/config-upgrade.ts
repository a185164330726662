import { Command } from "commander";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { type SpellingChange, upgradeSpellings } from "../../config/upgrade.js";
import { CountersignError } from "../../error.js";
import { readTextFile, replaceTextFile } from "../files/text-file.js";
import { EXIT } from "../output/exit.js";
import { print, printJson } from "../output/output.js";
import { table } from "../output/table.js";

/**
 * `countersign config upgrade`: replaces the keys and values that an earlier version spelled differently, as `respell`
 * finds them in the text of a file.
 */
export function upgradeCommand(respell: Respell = upgradeSpellings): Command {
  return new Command("upgrade")
    .description("Prints a configuration, or the test of a policy, in the present spelling")
    .argument("[file]", "a configuration, or a test beside a policy", DEFAULT_CONFIG)
    .option("--write", "change the file instead of printing it")
    .option("--check", "list what has to change, and exit with 1 if anything has to")
    .option("--json", "one JSON object: `file`, `changes`, `written`, and `text` if it was neither written nor checked")
    .addHelpText(
      "after",
      `
Only renamed keys and values change; comments and layout stay. The file is replaced at once or not at all, and keeps its
permissions. The result is not checked any further: run \`countersign check\` with it.

Exits with 0 when done, 1 when --check found a previous spelling, 2 when the file could not be read, upgraded or
written.

Examples:
  countersign config upgrade countersign.yaml > new.yaml
  countersign config upgrade --check policies/tc.test.yaml
  countersign config upgrade --write countersign.yaml`,
    )
    .action((file: string, options: Options) => upgrade(respell, file, options));
}

type Respell = (file: string, text: string) => ReturnType<typeof upgradeSpellings>;

interface Options {
  readonly write?: true;
  readonly check?: true;
  readonly json?: true;
}

/** Maximum size in bytes of a configuration or test. */
const MAX_BYTES = 2 ** 20;

function upgrade(respell: Respell, file: string, { write, check, json }: Options): void {
  if (write === true && check === true)
    throw new CountersignError("USAGE", "--write and --check exclude each other", { remedy: "leave one of them out" });
  const { text: before, whole: marked } = readTextFile(file, MAX_BYTES);
  const { text, changes } = respell(file, before);
  const whole = marked(text);
  const written = write === true && changes.length > 0;
  if (written) replaceTextFile(file, whole);
  const isPrinted = write !== true && check !== true;
  if (json === true) printJson({ file, changes, written, ...(isPrinted ? { text: whole } : {}) });
  else if (isPrinted) process.stdout.write(whole);
  else report(file, changes, written);
  if (check === true && changes.length > 0) process.exitCode = EXIT.denied;
}

function report(file: string, changes: readonly SpellingChange[], written: boolean): void {
  if (changes.length === 0) {
    print(`${file}: nothing to change`);
    return;
  }
  print(
    table(
      ["PLACE", "KEY", "PREVIOUS", "PRESENT"],
      changes.map(({ place, path, from, to }) => [place, path, from, to]),
    ),
  );
  const count = changes.length === 1 ? "1 spelling" : `${changes.length} spellings`;
  print(`\n${file}: ${count} ${written ? "changed" : "to change"}`);
}
