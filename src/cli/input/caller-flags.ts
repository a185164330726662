import { type Command, InvalidArgumentError, Option } from "commander";
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
