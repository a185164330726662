import { Command, InvalidArgumentError } from "commander";
import { type AttachmentConfig, type Config, DEFAULT_CONFIG, readConfig } from "../../../config/config.js";
import { CountersignError } from "../../../error.js";
import { didYouMean } from "../../../nearest.js";
import type { DecisionTable } from "../../../prove/table/decision-table.js";
import { visibleText } from "../../../visible-text.js";
import { compileWasmOnce } from "../../input/wasm-compiler.js";
import { EXIT } from "../../output/exit.js";
import { print, printJson, styled } from "../../output/output.js";
import { counter } from "../../output/progress.js";
import { table } from "../../output/table.js";

const MAX_PATHS = 2_000;
const TIMEOUT = 60;

/** `countersign prove table`: the decision tables of a configuration. */
export function tableCommand(): Command {
  return new Command("table")
    .description("Shows every answer that each attachment can give, with its conditions")
    .argument("[config]", "a configuration", DEFAULT_CONFIG)
    .option("--attachment <name>", "only this attachment")
    .option("--max-paths <number>", "the most rows of one table", countOf, MAX_PATHS)
    .option("--timeout <seconds>", "the most time for all tables together", countOf, TIMEOUT)
    .option("--markdown", "tables in Markdown")
    .option("--json", "one JSON object: `tables`, and what they assume in `assumes`")
    .addHelpText(
      "after",
      `
A policy is explored with symbols in place of facts, callers, maps and signatures. Each row has the conditions under
which the policy gives an answer; each program and caller is on exactly one row. The engine has decided an example of
each row and given the same answer. What cannot be decided exactly is shown as \`not decided\`, with the line. A limit
that is reached leaves a table incomplete, which it says. docs/prove.md says what is assumed.

Exits with 0 when all tables are complete and decided, 2 when something is not decided or left out, or the configuration
cannot be used.

Examples:
  countersign prove table
  countersign prove table --attachment verify-all countersign.yaml
  countersign prove table --json --max-paths 100 --timeout 10`,
    )
    .action(run);
}

function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000_000) return count;
  throw new InvalidArgumentError("give a number from 1 to 1000000");
}

interface Options {
  readonly attachment?: string;
  readonly maxPaths: number;
  readonly timeout: number;
  readonly markdown?: true;
  readonly json?: true;
}

async function run(file: string, { attachment, maxPaths, timeout, markdown, json }: Options): Promise<void> {
  if (markdown === true && json === true)
    throw new CountersignError("USAGE", "--json and --markdown exclude each other", {
      remedy: "leave one of them out",
    });
  const config = readConfig(file, "check");
  const attachments = chosen(config, attachment);
  compileWasmOnce();
  const [{ ASSUMPTIONS, decisionTables }, { countsOf, headingOf, markdownOf, resultOf }] = await Promise.all([
    import("../../../prove/table/decision-table.js"),
    import("../../../prove/table/table-text.js"),
  ]);
  const bar = await counter("tables");
  const tables: DecisionTable[] = [];
  for (const made of decisionTables(config, attachments, { paths: maxPaths, timeout: 1000 * timeout })) {
    tables.push(made);
    bar.step(made.attachment);
  }
  bar.stop();
  if (json === true) printJson({ tables, assumes: ASSUMPTIONS });
  else if (markdown === true)
    print([...tables.map(markdownOf), assumed(ASSUMPTIONS)].join("\n").split("\n").map(visibleText).join("\n"));
  else {
    for (const made of tables) {
      const rows = made.rows.map((row) => {
        const where = row.place === null ? "" : row.place;
        const reason = row.reason === null ? "" : `: ${row.reason}`;
        return [resultOf(row), where, `${row.conditions.join(" and ") || "always"}${reason}`].map(visibleText);
      });
      print(styled("bold", visibleText(headingOf(made))));
      print(table(["result", "line", "if all of these hold: reason"], rows));
      print(`${countsOf(made)}${made.unfinished === null ? "" : `; not complete: ${made.unfinished}`}\n`);
    }
    print(assumed(ASSUMPTIONS));
  }
  const isDecided = tables.every(({ rows, unfinished }) => {
    return unfinished === null && rows.every(({ result }) => result !== "not decided");
  });
  if (!isDecided) process.exitCode = EXIT.undecided;
}

function chosen({ attachments }: Config, name: string | undefined): readonly AttachmentConfig[] {
  if (name === undefined) return attachments;
  const own = attachments.filter((one) => one.name === name);
  if (own.length > 0) return own;
  const names = attachments.map((one) => one.name);
  throw new CountersignError("USAGE", `there is no attachment \`${name}\`${didYouMean(name, names)}`, {
    remedy: "name an attachment of the configuration",
  });
}

function assumed(assumptions: readonly string[]): string {
  return ["Assumed:", ...assumptions.map((one) => `- ${one}`)].join("\n");
}
