import { type Command, InvalidArgumentError, Option } from "commander";
import { CountersignError } from "../../error.js";
import { type Current, ROOT_ON_HOST } from "../../policy/model/current.js";
import { callerWith } from "./caller-options.js";

/** Options that say which task asks. */
export interface CallerFlags {
  readonly as?: string;
  readonly label: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly comm?: string;
}

export function withCallerFlags(command: Command): Command {
  return command
    .option("--as <file>", "who asks: a JSON file with fields of `current`")
    .addOption(
      new Option("--label <key=value>", "ask as a container with this label; again for more")
        .argParser(label)
        .default({}, "no container"),
    )
    .option("--uid <number>", "ask as this user", uid)
    .option("--comm <name>", "ask as a task of this name");
}

/** The task that the options describe: root on the host unless they say otherwise. */
export async function whoAsks({ as, label, uid, comm }: CallerFlags): Promise<Current> {
  const base = as === undefined ? ROOT_ON_HOST : (await import("../../config/current.js")).readCurrent(as);
  return callerWith(base, { labels: label, uid, comm });
}

function label(text: string, labels: Readonly<Record<string, string>>): Record<string, string> {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError("Write it as key=value.");
  return { ...labels, [key]: value };
}

function uid(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffffffff)
    throw new InvalidArgumentError("Give a number below 4294967296.");
  return Number(text);
}

/** Options of a command that decides about files, or about requests, which say themselves which task asks. */
export interface SubjectSource extends CallerFlags {
  readonly request?: string;
  readonly btf?: unknown;
  readonly signature?: unknown;
}

/** The options that say about a file what a request says itself. */
const ABOUT_FILES = ["btf", "signature", "as", "uid", "comm"] as const;

/** Throws USAGE unless either files or requests are named, and for options that are about files alone. */
export function requireSubjects(files: readonly string[], options: SubjectSource): void {
  if (options.request === undefined) {
    if (files.length > 0) return;
    throw new CountersignError("USAGE", "no file is named", { remedy: "name files, or requests with --request" });
  }
  const given = ABOUT_FILES.find((name) => options[name] !== undefined);
  const other = files.length > 0 ? "a file" : given !== undefined ? `--${given}` : null;
  if (other === null && Object.keys(options.label).length === 0) return;
  throw new CountersignError("USAGE", `--request goes without ${other ?? "--label"}`, {
    remedy: "say in each request who asks and about what, or name files in place of requests",
  });
}
