import { VERSION } from "../../../version.js";
import type { Finding } from "../model/finding.js";
import type { RuleText } from "../model/rule.js";

const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/**
 * The findings as a log of SARIF 2.1.0 (OASIS), which code hosts show beside the lines. Columns are UTF-16 code units.
 * Paths are relative to the working directory, and so to the root of a repository in which the tool is run there.
 */
export function sarifOf(
  findings: readonly Finding[],
  texts: readonly Pick<RuleText, "code" | "summary" | "consequence">[],
  tool = "countersign lint",
): object {
  const known = new Map(texts.map((text) => [text.code, text]));
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  const rules = codes.map((id) => {
    const text = known.get(id);
    if (text === undefined) return { id };
    return { id, shortDescription: { text: text.summary }, fullDescription: { text: text.consequence } };
  });
  const results = findings.map((finding) => resultOf(finding, codes.indexOf(finding.code)));
  const driver = { name: tool, version: VERSION, rules };
  return { $schema: SCHEMA, version: "2.1.0", runs: [{ tool: { driver }, columnKind: "utf16CodeUnits", results }] };
}

function resultOf({ code, severity, message, file, line, column, remedy }: Finding, ruleIndex: number): object {
  const text = remedy === null ? message : `${message}; ${remedy}`;
  return {
    ruleId: code,
    ruleIndex,
    level: severity,
    message: { text },
    ...(file === null ? {} : { locations: [{ physicalLocation: locationOf(file, line, column) }] }),
  };
}

function locationOf(file: string, line: number | null, column: number | null): object {
  const artifactLocation = { uri: file.split("/").map(encodeURIComponent).join("/") };
  return line === null
    ? { artifactLocation }
    : { artifactLocation, region: { startLine: line, startColumn: column ?? 1 } };
}
