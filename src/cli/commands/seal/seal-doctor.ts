import { Command } from "commander";
import { readConfig } from "../../../config/config.js";
import { type DoctorFinding, diagnose, type State } from "../../../seal/doctor.js";
import { loadedPrograms } from "../../../seal/sealing.js";
import { readStatus } from "../../../seal/status.js";
import { EXIT } from "../../output/exit.js";
import { print, printJson, styled } from "../../output/output.js";
import { table } from "../../output/table.js";
import { readList } from "./seal-list.js";

/** `countersign seal doctor`: whether this machine can be sealed, and what is weak about it. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("Shows whether this machine can be sealed, and what the seal is worth here")
    .option("--config <file>", "a configuration, whose scopes by executable need fs-verity")
    .option("--list <file>", "the list that the loaded programs are compared with")
    .option("--lists <folder>", "the folder with a list for each kernel")
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
  ok       as it should be
  weak     the machine can be sealed, and the seal is worth less: the remedy says what to change
  missing  the machine cannot be sealed, or would not load what it needs

On a sealed machine it also shows the rules of the guard, and whether --list could replace the list in force.

Needs root for some lines. Exits with 0, or 1 if something is missing.

Examples:
  countersign seal doctor
  countersign seal doctor --list "lists/$(uname -r).list" --lists lists --json`,
    )
    .action(doctor);
}

interface Options {
  readonly config?: string;
  readonly list?: string;
  readonly lists?: string;
  readonly json?: true;
}

function doctor({ config, list, lists, json }: Options): void {
  const isRoot = process.geteuid?.() === 0;
  const findings = diagnose({
    config: config === undefined ? null : readConfig(config),
    list: list === undefined ? null : readList(list),
    lists: lists ?? null,
    loaded: isRoot ? loadedPrograms() : [],
    guard: isRoot ? readStatus() : null,
  });
  if (json === true) findings.forEach(printJson);
  else print(table(["state", "check", "found", "what to do"], findings.map(cells)));
  process.exitCode = findings.some(({ state }) => state === "missing") ? EXIT.denied : EXIT.ok;
}

const STYLES: Readonly<Record<State, "green" | "yellow" | "red">> = { ok: "green", weak: "yellow", missing: "red" };

function cells({ name, state, detail, remedy }: DoctorFinding): readonly string[] {
  return [styled(STYLES[state], state), name, detail, remedy ?? ""];
}
