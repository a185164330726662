import { Option } from "commander";
import { CountersignError } from "../../../error.js";
import type { Finding } from "../../../workbench/lint.js";
import { printJson } from "../../output/output.js";

const FORMATS = ["text", "json", "sarif"] as const;
export type Format = (typeof FORMATS)[number];

/** `--format`, of commands whose findings code hosts can show. */
export function formatOption(): Option {
  return new Option("--format <format>", "the form of the output; sarif is for code hosts").choices(FORMATS);
}

/** The format that options choose. Throws USAGE for `--json` with another one. */
export function formatOf({ format, json }: { readonly format?: Format; readonly json?: true }): Format {
  if (json === undefined || format === undefined || format === "json")
    return json === true ? "json" : (format ?? "text");
  throw new CountersignError("USAGE", `--json and --format ${format} exclude each other`, {
    remedy: "leave one of them out",
  });
}

/** Prints findings as a log of SARIF 2.1.0. */
export async function printSarif(findings: readonly Finding[], command: string): Promise<void> {
  const [{ sarifOf }, { PROVE_RULES }] = await Promise.all([
    import("../../../workbench/lint/report/sarif.js"),
    import("../../output/prove-findings.js"),
  ]);
  printJson(sarifOf(findings, PROVE_RULES, `countersign prove ${command}`));
}
