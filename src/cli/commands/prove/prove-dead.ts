import { Command } from "commander";
import { readConfig } from "../../../config/config.js";
import { DEFAULT_CONFIG } from "../../../config/default-config.js";
import type { DeadCode, DeadPlace } from "../../../prove/table/dead-code.js";
import type { DeadScope } from "../../../prove/table/dead-scope.js";
import { visibleText } from "../../../visible-text.js";
import { compileWasmOnce } from "../../input/wasm-compiler.js";
import { EXIT } from "../../output/exit.js";
import { print, printJson } from "../../output/output.js";
import { counter } from "../../output/progress.js";
import { table } from "../../output/table.js";
import { type Format, formatOf, formatOption, printSarif } from "./format-option.js";
import { countOf, limitWords, MAX_PATHS, TIMEOUT } from "./limits.js";
import { unknownName } from "./unknown-name.js";

/** `countersign prove dead`: the code of policies that no decision reaches. */
export function deadCommand(): Command {
  return new Command("dead")
    .description("Shows code that no decision reaches, and branches that none takes")
    .argument("[config]", "a configuration", DEFAULT_CONFIG)
    .option("--attachment <name>", "only this attachment")
    .option("--max-paths <number>", "the most paths of one policy", countOf, MAX_PATHS)
    .option("--timeout <seconds>", "the most time for all policies together", countOf, TIMEOUT)
    .addOption(formatOption())
    .option(
      "--json",
      "short for --format json: `attachments`, with `scope`, `keys`, `places` and why they are `unknown`",
    )
    .addHelpText(
      "after",
      `
Each policy is explored as for \`prove table\`, at all hooks of its attachment. What no path reaches is dead in this
configuration: a statement, or a branch of a condition. A policy of which anything is not decided, or with a loop over
a list of a program, is shown as not known: none of its code is called dead. Two things are shown for any policy: a
scope that no task is in, and a key that the policy looks up in a map, if the map's file has no entry with it and no
policy may write to the map.

Exits with 0 when there is no dead code, 1 when there is, 2 when it is not known for an attachment, or the configuration
cannot be used.

Examples:
  countersign prove dead
  countersign prove dead --format sarif > dead.sarif
  countersign prove dead --attachment verify-all --json countersign.yaml`,
    )
    .action(run);
}

interface Options {
  readonly attachment?: string;
  readonly maxPaths: number;
  readonly timeout: number;
  readonly format?: Format;
  readonly json?: true;
}

async function run(file: string, { attachment, maxPaths, timeout, ...output }: Options): Promise<void> {
  const format = formatOf(output);
  const config = readConfig(file, "check");
  const names = config.attachments.map(({ name }) => name);
  if (attachment !== undefined && !names.includes(attachment)) throw unknownName("attachment", attachment, names);
  compileWasmOnce();
  const [{ PlacedPolicies }, { deadCode }] = await Promise.all([
    import("../../../prove/configuration/placed-policies.js"),
    import("../../../prove/table/dead-code.js"),
  ]);
  const policies = new PlacedPolicies(config);
  const bar = await counter("policies");
  const found: DeadCode[] = [];
  const limits = { paths: maxPaths, timeout: 1000 * timeout };
  for (const one of deadCode(policies, ({ name }) => name === (attachment ?? name), limits)) {
    found.push(one);
    bar.step(one.attachment);
  }
  bar.stop();
  policies.close();
  if (format === "json") printJson({ attachments: found });
  else if (format === "sarif") {
    const { deadFindings } = await import("../../output/prove-findings.js");
    await printSarif(deadFindings(found, file), "dead");
  } else printDead(found);
  if (found.some(isDead)) process.exitCode = EXIT.denied;
  else if (found.some(({ unknown }) => unknown !== null)) process.exitCode = EXIT.undecided;
}

function isDead({ scope, keys, places }: DeadCode): boolean {
  return scope !== null || keys.length + places.length > 0;
}

/** What never happens, for a scope. */
const SCOPE_WORDS: Readonly<Record<DeadScope, string>> = {
  "no task": "asked: no task is in its scope",
  "no task that is known": "asked, but about tasks with unknown labels, name or executable: no other is in its scope",
};

function printDead(found: readonly DeadCode[]): void {
  const rows = found.flatMap((one) => {
    const { attachment, place, scope, keys, places, unknown, limit } = one;
    return [
      ...(scope === null ? [] : [[attachment, place, SCOPE_WORDS[scope]]]),
      ...keys.map((key) => [attachment, placeOf(key), `found: map ${key.map} has no entry ${JSON.stringify(key.key)}`]),
      ...places.map((dead) => [attachment, placeOf(dead), dead.branch ?? "reached"]),
      ...(unknown === null ? [] : [[attachment, "", `not known: ${limitWords(unknown, limit)}`]]),
    ];
  });
  if (rows.length === 0) print("no dead code");
  else
    print(
      table(
        ["attachment", "place", "never"],
        rows.map((row) => row.map(visibleText)),
      ),
    );
}

function placeOf({ file, line, column }: Pick<DeadPlace, "file" | "line" | "column">): string {
  return `${file}:${line}:${column}`;
}
