import { readText } from "../../input.js";
import { WARNING_CODES } from "../../warning.js";
import type { Finding } from "./model/finding.js";
import { LINT_RULES } from "./rules.js";

/** Codes that a comment can suppress. What an engine rejects at start cannot be suppressed. */
const SUPPRESSIBLE: ReadonlySet<string> = new Set([...LINT_RULES.map(({ code }) => code), ...WARNING_CODES]);

/** `// lint-ignore CODE: reason`; in a configuration with `#`. A comment without a reason has no effect. */
const COMMENT = /(?:\/\/|#|\/\*)\s*lint-ignore\s+(\w+)\s*:\s*[^\s*]/;

const MAX_FILE = 2 ** 20;

/** Leaves out findings that a comment on their own line, or on the line before, suppresses. */
export function withoutIgnored(findings: readonly Finding[]): Finding[] {
  const files = new Map<string, readonly string[]>();
  const linesOf = (file: string): readonly string[] => {
    const lines = files.get(file) ?? readText(file, MAX_FILE).split(/\r\n?|\n/);
    files.set(file, lines);
    return lines;
  };
  return findings.filter(({ code, file, line }) => {
    if (file === null || line === null || !SUPPRESSIBLE.has(code)) return true;
    const lines = linesOf(file);
    return ![lines[line - 1], lines[line - 2]].some((text) => COMMENT.exec(text ?? "")?.[1] === code);
  });
}
