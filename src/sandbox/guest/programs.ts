import { ANSWERS, SIGNER_OF_PROGRAM, STATEMENT_OF, SUBJECT, VERIFY_PROGRAM } from "../shared/buffer-layout.js";
import { answer, answers, MAX_ANSWERS } from "./answers.js";
import { isKeyring } from "./bytes.js";
import { makeFacts } from "./facts.js";
import { callHost, hostNumber, integers } from "./host.js";
import { settings } from "./settings.js";
import { type Signer, signerName } from "./signer.js";
import { plainSubjects, subjects } from "./subjects.js";
import { stringOf } from "./text.js";

const ENODATA = 61;

/** The facts of a program that these functions use. */
interface Program {
  readonly statements: readonly { readonly sha256: string }[];
  readonly mismatches: readonly unknown[];
}

const { hasOwn } = Object;

/** Whether a value is the subject of this decision. */
export function isSubject(value: unknown): boolean {
  return typeof value === "object" && value !== null && value === subjects[integers[SUBJECT]!];
}

/** The last name of a keyring that was found; comparing with it is faster. No value of a policy equals the first. */
let knownKeyring: unknown = subjects;

/**
 * In most decisions no statement is about the program. The guest answers that case itself, within this function: each
 * call of another takes a twentieth of a decision.
 */
export function verify_program(prog: unknown, keyring: unknown): number {
  if (
    keyring === knownKeyring &&
    typeof prog === "object" &&
    prog !== null &&
    prog === subjects[integers[SUBJECT]!] &&
    "statements" in prog &&
    (prog as Program).statements.length === 0 &&
    (prog as Program).mismatches.length === 0
  ) {
    // `answer`, inlined
    const kept = integers[ANSWERS]!;
    if (kept < 4 * MAX_ANSWERS) {
      answers[kept] = "verify_program";
      answers[kept + 1] = keyring;
      answers[kept + 2] = "";
      answers[kept + 3] = -ENODATA;
    }
    integers[ANSWERS] = kept + 4;
    return -ENODATA;
  }
  const its = programOf(prog, "verify_program");
  const verdict = isUnstated(its, keyring) ? -ENODATA : ask(VERIFY_PROGRAM, "verify_program", its, keyring);
  answer("verify_program", keyring as string, "", verdict);
  return verdict;
}

export function statement_of(prog: unknown, keyring: unknown): unknown {
  const its = programOf(prog, "statement_of");
  const index = isUnstated(its, keyring) ? -1 : ask(STATEMENT_OF, "statement_of", its, keyring);
  const statement = index === -1 ? null : its.statements[index]!;
  answer("statement_of", keyring as string, "", statement === null ? "none" : statement.sha256);
  return statement;
}

/** `prog` is the subject of this decision. */
export function signerOfProgram(prog: unknown, keyring: unknown): Signer | null {
  const its = programOf(prog, "signer_of");
  const ring = stringOf(keyring, "signer_of: keyring");
  const text = callHost(SIGNER_OF_PROGRAM, "signer_of", JSON.stringify([ring]), candidatesOf(its))!;
  const signer: Signer | null = makeFacts(JSON.parse(text));
  answer("signer_of", ring, "", signerName(signer));
  return signer;
}

/** The host knows one program, which is the subject of this decision. */
function programOf(prog: unknown, who: string): Program {
  if (isSubject(prog)) {
    const plain = plainSubjects[integers[SUBJECT]!] as Program;
    // a program of which only the effects are known lacks its statements: reading them is then a fault
    if (hasOwn(plain, "statements") || hasOwn(plain, "effects")) return plain;
  }
  throw new TypeError(`${who}: prog is not the program that the hook was called with`);
}

function isUnstated(prog: Program, keyring: unknown): boolean {
  const candidates = candidatesOf(prog);
  // The host records which keyrings a policy asks
  if (settings.recordsReads === true || settings.asksHost === true) return false;
  if (candidates > 0 || !isKeyring(keyring)) return false;
  knownKeyring = keyring;
  return true;
}

/** Number of statements that the host may have to verify. */
function candidatesOf({ statements, mismatches }: Program): number {
  return statements.length + mismatches.length;
}

function ask(what: number, who: string, prog: Program, keyring: unknown): number {
  callHost(what, who, JSON.stringify([stringOf(keyring, `${who}: keyring`)]), candidatesOf(prog));
  return hostNumber();
}
