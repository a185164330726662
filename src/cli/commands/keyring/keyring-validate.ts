import { readSync } from "node:fs";
import { Command } from "commander";
import { CountersignError } from "../../../error.js";
import { readInput } from "../../../input.js";
import { judgePath, type PathCase } from "../../../trust/path-case.js";
import { EXIT } from "../../output/exit.js";
import { printError, printJson } from "../../output/output.js";

/** `countersign keyring validate`: judges certificate paths from JSON lines, such as test vectors. */
export function validateCommand(): Command {
  return new Command("validate")
    .description("Validates certificate paths in JSON lines, by RFC 5280")
    .requiredOption("--batch <file>", "a file with one path on each line; `-` for standard input")
    .addHelpText(
      "after",
      `
A line is {"id", "trust": [], "untrusted": [], "crls": [], "leaf", "at", "usage": [], "policies": []}: certificates and
CRLs in PEM or base64 DER, \`at\` an ISO time (now where it is absent), \`usage\` extended key usages (none asked for
where it is absent), \`policies\` identifiers of which one must hold, or {"acceptable": [], "requireExplicit",
"inhibitMapping", "inhibitAny"}. With \`crls\` every certificate needs one, unless "freshness" is "if-present".
"profile" is "compatible" (where it is absent) or "strict", as a keyring's.
Prints {"id", "ok", "errno", "rule", "reason"} for each. Exits with 0, or with 2 if a line could not be read.

Example:
  countersign keyring validate --batch pkits.jsonl`,
    )
    .action(({ batch }: { batch: string }) => {
      const text = batch === "-" ? readStandardInput() : Buffer.from(readInput(batch, MAX_BATCH)).toString("utf8");
      for (const [index, line] of text.split("\n").entries()) {
        if (line.trim() === "") continue;
        try {
          const { id, ...one } = readLine(line);
          printJson({ id, ...judgePath(one) });
        } catch (error) {
          if (!(error instanceof CountersignError)) throw error;
          printError(error.within(`${batch}:${index + 1}`));
          process.exitCode = EXIT.undecided;
        }
      }
    });
}

/** Maximum size in bytes of the input: tens of thousands of paths. */
const MAX_BATCH = 256 * 1024 * 1024;

function readLine(line: string): PathCase & { readonly id: unknown } {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line);
  } catch (cause) {
    throw wrong("is not JSON", "write one object a line", cause);
  }
  if (typeof fields !== "object" || fields === null) throw wrong("is not a JSON object", "write one object a line");
  if (typeof fields.leaf !== "string") throw wrong("has no `leaf`", "give the certificate in question");
  const freshness = fields.freshness ?? null;
  if (freshness !== null && freshness !== "require" && freshness !== "if-present")
    throw wrong("has an unknown `freshness`", "use require or if-present");
  const profile = fields.profile ?? "compatible";
  if (profile !== "strict" && profile !== "compatible")
    throw wrong("has an unknown `profile`", "use strict or compatible");
  return {
    id: fields.id ?? null,
    trust: strings(fields, "trust"),
    untrusted: strings(fields, "untrusted"),
    crls: strings(fields, "crls"),
    leaf: fields.leaf,
    at: momentOf(fields.at),
    usage: strings(fields, "usage"),
    policies: isObject(fields.policies) ? policyInputs(fields.policies) : strings(fields, "policies"),
    freshness,
    profile,
  };
}

/** A list of strings. A single string means a list of one, a missing value an empty list. */
function strings(fields: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const value = fields[name] ?? [];
  const list = typeof value === "string" ? [value] : value;
  if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  throw wrong(`has \`${name}\` that is not a list of strings`, `write \`${name}\` as a JSON list of strings`);
}

function policyInputs(fields: Readonly<Record<string, unknown>>): PathCase["policies"] {
  return {
    acceptable: strings(fields, "acceptable"),
    requireExplicit: fields.requireExplicit === true,
    inhibitMapping: fields.inhibitMapping === true,
    inhibitAny: fields.inhibitAny === true,
  };
}

function momentOf(value: unknown): number {
  if (value === undefined || value === null) return Date.now();
  const moment = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(moment)) throw wrong("has `at` that is not an ISO time", "write it as 2026-01-31T12:00:00Z");
  return moment;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(message: string, remedy: string, cause?: unknown): CountersignError {
  return new CountersignError("USAGE", message, { remedy, cause });
}

function readStandardInput(): string {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.alloc(65_536);
    const length = readSync(0, part, 0, part.length, null);
    if (length === 0) return Buffer.concat(parts).toString("utf8");
    parts.push(part.subarray(0, length));
  }
}
