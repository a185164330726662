import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type SmtAnswer = "sat" | "unsat" | "unknown";

/** A solver of SMT-LIB queries; scripts/debian.sh installs its package. */
export interface SmtSolver {
  readonly name: "z3" | "cvc5";
  /** In milliseconds, of one query. */
  readonly options: (timeout: number) => readonly string[];
}

export const SMT_SOLVERS: readonly SmtSolver[] = [
  { name: "z3", options: (timeout) => [`-t:${timeout}`] },
  { name: "cvc5", options: (timeout) => [`--tlimit-per=${timeout}`, "--strings-exp", "--lang=smt2"] },
];

export function isInstalled({ name }: SmtSolver): boolean {
  return existsSync(`/usr/bin/${name}`);
}

const BATCH = 500;

/** The answer to each query. A query that takes too long is `unknown`. Throws what the solver rejects. */
export function askSmt(solver: SmtSolver, queries: readonly string[], timeout: number): readonly SmtAnswer[] {
  const answers: SmtAnswer[] = [];
  for (let at = 0; at < queries.length; at += BATCH)
    answers.push(...askBatch(solver, queries.slice(at, at + BATCH), timeout));
  return answers;
}

function askBatch({ name, options }: SmtSolver, queries: readonly string[], timeout: number): readonly SmtAnswer[] {
  const folder = mkdtempSync(join(tmpdir(), "smt-"));
  try {
    const file = join(folder, "queries.smt2");
    writeFileSync(file, queries.map((text) => `(set-logic ALL)\n${text}(check-sat)\n(reset)\n`).join(""));
    const { stdout, stderr } = spawnSync(`/usr/bin/${name}`, [...options(timeout), file], {
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    // The answer after a time limit is `unknown` or `timeout`
    const answers = stdout
      .trim()
      .split("\n")
      .map((line) => (line === "timeout" ? "unknown" : line));
    if (answers.length !== queries.length || answers.some((one) => !["sat", "unsat", "unknown"].includes(one)))
      throw new TypeError(`${name} does not answer: ${stdout.slice(0, 500)}${stderr.slice(0, 500)}`);
    return answers as SmtAnswer[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
