import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { readConfig } from "../../config/config.js";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { readText } from "../../input.js";
import { mapDeclarations } from "../../policy/maps/map-declarations.js";
import { writeWhole } from "../files/write.js";
import { EXIT } from "../output/exit.js";
import { print, printJson } from "../output/output.js";

/** The file that is written, beside the configuration. */
const FILE = "countersign-maps.d.ts";
/** The largest file that is compared, in bytes. */
const MAX_FILE = 2 ** 24;

/** `countersign types`: the types of what the maps of a configuration have. */
export function command(): Command {
  return new Command("types")
    .description("Writes the types of what the maps of a configuration have, by their schemas")
    .option("--config <file>", "a configuration", DEFAULT_CONFIG)
    .option("--output <file>", `the file to write (default: ${FILE} beside the configuration)`)
    .option("--check", "write nothing; exit with 1 if the file is not what would be written")
    .option("--json", "one JSON object: `file`, `current`, and `maps` with `name` and `typed`")
    .addHelpText(
      "after",
      `
\`map_lookup\` and \`map_update\` of these maps then have the types of their \`values\` and \`keys\`, for an editor and
TypeScript. A map without a schema has values of any type. The file belongs into the repository; \`--check\` in CI finds
one that is older than the schemas.

Exits with 0 when the file was written or is current, 1 when --check finds another or none, 2 when the configuration
cannot be used or the file not be written.

Examples:
  countersign types
  countersign types --check
  countersign types --config deploy/countersign.yaml --output types/maps.d.ts`,
    )
    .action(run);
}

interface Options {
  readonly config: string;
  readonly output?: string;
  readonly check?: true;
  readonly json?: true;
}

function run({ config: path, output, check, json }: Options): void {
  const { file: place, maps } = readConfig(path, "check");
  const file = output ?? join(dirname(place), FILE);
  const text = mapDeclarations(maps);
  const isCurrent = existsSync(file) && readText(file, MAX_FILE) === text;
  if (check !== true && !isCurrent) writeWhole(file, Buffer.from(text));
  const current = isCurrent || check !== true;
  if (json === true)
    printJson({ file, current, maps: maps.map(({ name, schema }) => ({ name, typed: schema?.values !== undefined })) });
  else
    print(
      current ? `${file}: ${isCurrent ? "current" : "written"}` : `${file}: not current; run \`countersign types\``,
    );
  if (!current) process.exitCode = EXIT.denied;
}
