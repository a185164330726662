import { CountersignError } from "../../error.js";
import { EXIT } from "../output/exit.js";
import { printError } from "../output/output.js";

/** Number of problems that are printed. A binary file has one in each of its lines. */
const SHOWN = 10;

/** Prints what cannot be read of logs to stderr, and has the command exit with {@link EXIT.undecided}. */
export class LogProblems {
  #count = 0;

  readonly add = (problem: CountersignError): void => {
    this.#count += 1;
    if (this.#count <= SHOWN) printError(problem);
    process.exitCode = EXIT.undecided;
  };

  get count(): number {
    return this.#count;
  }

  /** Says how many there are that were not printed. */
  close(): void {
    if (this.#count > SHOWN) process.stderr.write(`… and ${this.#count - SHOWN} more lines that cannot be read\n`);
  }
}

/** The error for an id that no record has. */
export function noRecord(id: string): CountersignError {
  const remedy = "check the id, and name the log that has it, or its rotated file";
  return new CountersignError("RECORD_NOT_FOUND", `no record has the id \`${id}\``, { remedy });
}
