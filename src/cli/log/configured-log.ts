import { readConfig } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import { ProgramFolder } from "../../workbench/replay/program-folder.js";

/** The logs that a command names, or else that of its configuration. Throws as {@link configuredLog}. */
export function logsToRead(named: readonly string[], config: string): readonly string[] {
  return named.length === 0 ? [configuredLog(config)] : named;
}

/** The folder `log.programs` of the configuration whose log is read; null if logs are named, or if it has none. */
export function configuredPrograms(named: readonly string[], config: string): ProgramFolder | null {
  const programs = named.length > 0 ? undefined : readConfig(config).log?.programs;
  return programs === undefined ? null : new ProgramFolder(programs.folder);
}

/** The path of a configuration's decision log. Throws CONFIG_INVALID if it has none. */
export function configuredLog(file: string): string {
  const { log } = readConfig(file);
  if (log !== null) return log.file;
  throw new CountersignError("CONFIG_INVALID", "has no decision log to read", {
    place: file,
    remedy: "add `log: { file: decisions.jsonl }`, or name a log",
  });
}
