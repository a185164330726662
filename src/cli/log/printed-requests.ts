import { CountersignError } from "../../error.js";
import { DecisionSearch } from "../../log/decision-search.js";
import { closeLogFile, openLogs } from "../../log/log-files.js";
import type { ProgramFolder } from "../../workbench/replay/program-folder.js";
import { StoredContents } from "../../workbench/replay/stored-contents.js";
import { requestOfRecord } from "../../workbench/requests/request-of-record.js";
import { EXIT } from "../output/exit.js";
import { printError, printJson } from "../output/output.js";
import { type LogProblems, noRecord } from "./log-problems.js";

/**
 * Prints the request of each decision with one of these ids, one JSON object in each line. `objects` are folders with
 * bytes. What a decision or a request lacks is printed as an error, and the command then exits with 2.
 */
export async function printRequests(
  paths: readonly string[],
  ids: readonly string[],
  programs: ProgramFolder | null,
  objects: readonly string[],
  { add }: LogProblems,
): Promise<void> {
  const stored = StoredContents.of(objects);
  const contents = { find: (sha256: string) => programs?.find(sha256) ?? stored.find(sha256) };
  const files = openLogs(paths);
  try {
    const search = new DecisionSearch(files, add);
    for (const id of ids) {
      const [found] = await search.withId(id);
      if (found === undefined) tell(noRecord(id));
      else
        try {
          const { request, absent } = requestOfRecord(found.line, found.reader, contents);
          printJson(request);
          if (absent.size > 0) tell(absentBytes(id, absent));
        } catch (error) {
          if (!(error instanceof CountersignError)) throw error;
          const { code, message, remedy } = error;
          tell(new CountersignError(code, `decision ${id} cannot be asked again without ${message}`, { remedy }));
        }
    }
  } finally {
    for (const file of files) closeLogFile(file);
  }
}

function tell(error: CountersignError): void {
  printError(error);
  process.exitCode = EXIT.undecided;
}

/** The facts whose bytes `log.programs` keeps. */
const INSTRUCTIONS: ReadonlySet<string> = new Set(["insns", "raw_insns"]);

/** The error for bytes that the request of a decision has only by their digest. */
function absentBytes(id: string, absent: ReadonlyMap<string, string>): CountersignError {
  const facts = [...absent].map(([path, sha256]) => `\`${path}\` (SHA-256 ${sha256})`).join(", ");
  const isKept = [...absent.keys()].some((path) => INSTRUCTIONS.has(path));
  const keep = isKept ? "set `log: { programs: … }` to keep instructions from now on, or " : "";
  const remedy = `${keep}name a folder that has them with --objects`;
  return new CountersignError("INPUTS_MISSING", `the request of decision ${id} lacks the bytes of ${facts}`, {
    remedy,
  });
}
