import { Command } from "commander";
import type { AttachmentConfig } from "../../../config/attachments.js";
import { readConfig } from "../../../config/config.js";
import { DEFAULT_CONFIG } from "../../../config/default-config.js";
import { CountersignError } from "../../../error.js";
import type { PlacedPolicies } from "../../../prove/configuration/placed-policies.js";
import type { ExplorationLimits } from "../../../prove/explorer/exploration.js";
import type { ConfigurationTable } from "../../../prove/table/configuration-table.js";
import type { DecisionTable } from "../../../prove/table/decision-table.js";
import { visibleText } from "../../../visible-text.js";
import { writeWhole } from "../../files/write.js";
import { compileWasmOnce } from "../../input/wasm-compiler.js";
import { EXIT } from "../../output/exit.js";
import { print, printJson, styled } from "../../output/output.js";
import { counter } from "../../output/progress.js";
import { table } from "../../output/table.js";
import { assumedPolicies, assumptionsText, CONTENTS, VERSION_ASSUMED } from "./assumptions.js";
import { countOf, limitWords, MAX_PATHS, ROWS, TIMEOUT, withinLimits } from "./limits.js";
import { unknownName } from "./unknown-name.js";

/** `countersign prove table`: the decision tables of a configuration. */
export function tableCommand(): Command {
  return new Command("table")
    .description("Shows every answer that each attachment can give, with its conditions")
    .argument("[config]", "a configuration", DEFAULT_CONFIG)
    .option("--attachment <name>", "only this attachment")
    .option("--contents", CONTENTS)
    .option("--max-paths <number>", "the most rows of one table", countOf, MAX_PATHS)
    .option("--rows <number>", "the most rows of the table of the configuration", countOf, ROWS)
    .option("--timeout <seconds>", "the most time for all tables together", countOf, TIMEOUT)
    .option("--certificate <file>", "write a certificate of the tables, for `prove check`")
    .option("--markdown", "tables in Markdown")
    .option("--html <file>", "write one page that loads nothing from the network, and print nothing")
    .option("--json", "one JSON object: `tables`, `configuration`, and what they assume in `assumes`")
    .addHelpText(
      "after",
      `
A policy is explored with symbols in place of facts, callers, maps and signatures. Each row has the conditions under
which the policy gives an answer; each program and caller is on exactly one row. The engine has decided an example of
each row and given the same answer. What cannot be decided exactly is shown as \`not decided\`, with the line. A limit
that is reached leaves a table incomplete, which it says. docs/prove.md says what is assumed.

The last table of each hook is that of the configuration: what all attachments together enforce, with scopes, modes,
\`on_fault\` and the hook's default. It has at least one row for each end, and says how many ways to that end it leaves
out. With --attachment there is none.

A map has any values that its schema allows. With --contents a map that no policy may write to has the entries of its
file, if they are at most 64; what is assumed names its SHA-256.

--certificate writes the tables in a form that \`countersign prove check\` checks without the explorer; that of the
configuration only if all attachments are chosen. The certificate is checked before it is written; a policy with syntax
that the checker does not evaluate is an error that names it.

Exits with 0 when all tables are complete and decided, 2 when something is not decided or left out, or the configuration
cannot be used.

Examples:
  countersign prove table
  countersign prove table --attachment verify-all countersign.yaml
  countersign prove table --certificate decisions.cert.json
  countersign prove table --html decisions.html
  countersign prove table --contents
  countersign prove table --json --max-paths 100 --timeout 10`,
    )
    .action(run);
}

interface Options {
  readonly attachment?: string;
  readonly contents?: true;
  readonly maxPaths: number;
  readonly rows: number;
  readonly timeout: number;
  readonly certificate?: string;
  readonly markdown?: true;
  readonly html?: string;
  readonly json?: true;
}

async function run(file: string, options: Options): Promise<void> {
  const { attachment, maxPaths, rows, timeout, markdown, json } = options;
  const forms = { json, markdown, html: options.html };
  const [first, second] = Object.entries(forms).flatMap(([name, given]) => (given === undefined ? [] : [`--${name}`]));
  if (second !== undefined)
    throw new CountersignError("USAGE", `${first} and ${second} exclude each other`, {
      remedy: "leave one of them out",
    });
  const config = readConfig(file, "check");
  const names = config.attachments.map(({ name }) => name);
  if (attachment !== undefined && !names.includes(attachment)) throw unknownName("attachment", attachment, names);
  if (options.certificate !== undefined && names.length === 0)
    throw new CountersignError("USAGE", "has no attachments to certify", {
      place: file,
      remedy: "leave --certificate out",
    });
  compileWasmOnce();
  const [placing, { ASSUMPTIONS, decisionTables }, { configurationTables }, text, { assumedMaps }] = await Promise.all([
    import("../../../prove/configuration/placed-policies.js"),
    import("../../../prove/table/decision-table.js"),
    import("../../../prove/table/configuration-table.js"),
    import("../../../prove/table/table-text.js"),
    import("./assumed-maps.js"),
  ]);
  const policies = new placing.PlacedPolicies(config, options.contents === true);
  const bar = await counter("tables");
  const end = performance.now() + 1000 * timeout;
  const limits = () => ({ paths: maxPaths, timeout: Math.max(0, end - performance.now()) });
  const tables: DecisionTable[] = [];
  for (const made of decisionTables(policies, ({ name }) => name === (attachment ?? name), limits())) {
    tables.push(made);
    bar.step(made.attachment);
  }
  const configuration: ConfigurationTable[] = [];
  if (attachment === undefined)
    for (const made of configurationTables(policies, limits(), rows)) {
      configuration.push(made);
      bar.step(made.hook);
    }
  if (options.certificate !== undefined)
    await certify(options.certificate, policies, ({ name }) => name === (attachment ?? name), limits());
  bar.stop();
  policies.close();
  const assumes = [...ASSUMPTIONS, ...assumedMaps(policies), assumedPolicies(config.file, policies), VERSION_ASSUMED];
  if (options.html !== undefined) {
    const { tablePage } = await import("../../../prove/table/table-page.js");
    writeWhole(options.html, Buffer.from(tablePage(tables, configuration, assumes)));
  } else if (json === true) printJson({ tables, configuration, assumes });
  else if (markdown === true) {
    const parts = [...tables.map(text.markdownOf), ...configuration.map(text.configurationMarkdown)];
    print([...parts, assumptionsText(assumes)].join("\n").split("\n").map(visibleText).join("\n"));
  } else printTables(tables, configuration, text, assumes);
  const isDecided = [...tables, ...configuration].every(({ rows: all, unfinished }) => {
    return unfinished === null && all.every(({ result }) => result !== "not decided");
  });
  if (!isDecided) process.exitCode = EXIT.undecided;
}

/** Makes the certificate, also of the configuration if all attachments are chosen, checks it, and writes it. */
async function certify(
  file: string,
  policies: PlacedPolicies,
  isChosen: (attachment: AttachmentConfig) => boolean,
  limits: ExplorationLimits,
): Promise<void> {
  const [{ makeCertificate }, { writeCertificate }] = await Promise.all([
    import("../../../prove/certificate/make-certificate.js"),
    import("./checked-certificate.js"),
  ]);
  writeCertificate(
    withinLimits(() => makeCertificate(policies, isChosen, limits)),
    policies.config,
    file,
    [],
  );
}

function printTables(
  tables: readonly DecisionTable[],
  configuration: readonly ConfigurationTable[],
  text: typeof import("../../../prove/table/table-text.js"),
  assumptions: readonly string[],
): void {
  if (tables.length === 0) print("no tables: the configuration has no attachments\n");
  const show = ({ heading, names, head, rows, counts }: PlainTable, { unfinished, limit }: Limited) => {
    print(styled("bold", visibleText(heading)));
    for (const line of names) print(visibleText(line));
    print(
      table(
        head,
        rows.map((row) => row.map(visibleText)),
      ),
    );
    print(`${counts}${unfinished === null ? "" : `; not complete: ${limitWords(unfinished, limit)}`}\n`);
  };
  for (const made of tables) show(text.plainTable(made), made);
  for (const made of configuration) show(text.plainConfiguration(made), made);
  print(assumptionsText(assumptions));
}

type PlainTable = ReturnType<typeof import("../../../prove/table/table-text.js").plainTable>;
type Limited = Pick<DecisionTable, "unfinished" | "limit">;
