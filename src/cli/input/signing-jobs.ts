import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { factsOfFile } from "../../bpf/embedded.js";
import { CountersignError } from "../../error.js";
import { readInput } from "../../input.js";
import { beginsAsStatement } from "../../statement-line.js";
import type { SignatureType } from "../../trust/formats/formats.js";
import { statementName } from "../../trust/store.js";
import { warn } from "../output/output.js";
import { type StatementOptions, statementsOf, targetless, titleOf } from "./object-statements.js";
import { MAKERS, type MakerName, type MakerOptions, type SignedData, suffixOf } from "./signature-makers.js";

/** The options of `countersign sign` for what is signed, and where the signatures are written. */
export interface JobOptions extends MakerOptions, StatementOptions {
  readonly type: MakerName;
  readonly out?: string;
  readonly onlyStatements?: true;
}

/** One input to sign, and the path of its signature. */
export interface Job extends SignedData {
  readonly file: string;
  /** What of the file is signed, for messages; null for the whole file. */
  readonly title: string | null;
  readonly program: string | null;
  /** For a statement, where it is written, and the SHA-256 of its object; null for other data. */
  readonly statement: { readonly path: string; readonly objectSha256: string } | null;
  readonly out: string;
}

/** How messages name a job. */
export const titleOfJob = ({ file, title }: Job): string => (title === null ? file : `${file}: ${title}`);

/** Whole files. Throws USAGE for a statement, which only --programs signs. */
export function fileJobs(files: readonly string[], { out, type, digestOnly }: JobOptions): readonly Job[] {
  const folder = out !== undefined && (out.endsWith("/") || isFolder(out));
  if (out !== undefined && !folder && files.length > 1)
    throw usage("--out names one file and there are several to sign", "name a folder with a slash at its end");
  const suffix = digestOnly === true ? ".digest" : suffixOf(type);
  return files.map((file) => {
    const place = out === undefined ? `${file}${suffix}` : folder ? join(out, `${basename(file)}${suffix}`) : out;
    const data = readInput(file);
    if (beginsAsStatement(data))
      throw new CountersignError("USAGE", "is a program statement, which is not signed as a file", {
        place: file,
        remedy: "sign the object that it is about with --programs",
      });
    return { file, title: null, program: null, statement: null, data, out: place };
  });
}

/**
 * The statement of each object in the files and, for CMS, each program's instructions. Throws NOTHING_FOUND for a file
 * of which nothing would be signed.
 */
export function programJobs(files: readonly string[], options: JobOptions): readonly Job[] {
  const { digestOnly, out = digestOnly === true ? "digests" : "signatures", type, onlyStatements } = options;
  const { verifiedAs } = MAKERS[type];
  if (!DETACHED.has(verifiedAs))
    throw usage("--programs makes detached signatures of statements", "use --type pkcs7, kernel, sshsig or minisign");
  if (existsSync(out) && !isFolder(out))
    throw usage(`\`${out}\` is not a folder`, "name a folder for the signatures with --out");
  const place = (digest: string) => join(out, digestOnly === true ? `${digest}.digest` : `${digest}${suffixOf(type)}`);
  return files.flatMap((file) => {
    const bytes = readInput(file);
    const jobs = placedIn(file, () => statementJobs(file, bytes, out, place, options));
    if (verifiedAs === "PKCS7" && onlyStatements !== true)
      return [...jobs, ...placedIn(file, () => plainJobs(file, bytes, place, options))];
    if (jobs.length > 0) return jobs;
    throw new CountersignError("NOTHING_FOUND", "there is no program in it whose statement could be signed", {
      place: file,
      remedy: "correct what the warnings say about it",
    });
  });
}

const DETACHED: ReadonlySet<SignatureType> = new Set(["PKCS7", "SSHSIG", "MINISIGN"]);

function statementJobs(
  file: string,
  bytes: Uint8Array,
  out: string,
  place: (digest: string) => string,
  options: JobOptions,
): readonly Job[] {
  return statementsOf(bytes, options).flatMap((found) => {
    if ("error" in found) {
      const { message, place, remedy = null } = found.error.within(file);
      const whole = `no statement is made, since it ${message}`;
      warn({ code: "STATEMENT_NOT_MADE", message: whole, place: place ?? null, remedy });
      return [];
    }
    for (const { name, section } of targetless(found))
      warn({
        code: "STATEMENT_NO_TARGET",
        message: `its section \`${section}\` names no attach target, so no load matches its statement`,
        place: `${file}: program ${name}`,
        remedy: `name it in SEC(), or let the loader choose it with --open ${name}.attach-target`,
      });
    const { sha256, content } = found.statement;
    const statement = { path: join(out, statementName(sha256)), objectSha256: content.program.object.sha256 };
    const title = titleOf(found);
    return [{ file, title, program: null, statement, data: found.bytes, out: place(sha256) }];
  });
}

/** The signatures over each program's instructions, for policies that ask for those. */
function plainJobs(
  file: string,
  bytes: Uint8Array,
  place: (digest: string) => string,
  { program: only }: JobOptions,
): readonly Job[] {
  return factsOfFile(bytes)
    .programs.filter(({ name }) => only === undefined || only.includes(name))
    .map(({ name, insns, digest }) => ({
      ...{ file, title: name, program: name, statement: null },
      ...{ data: insns, out: place(digest) },
    }));
}

function placedIn<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof CountersignError ? error.within(file) : error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function usage(message: string, remedy: string): CountersignError {
  return new CountersignError("USAGE", message, { remedy });
}
