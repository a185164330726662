import { hash } from "node:crypto";
import { join } from "node:path";
import { readInput } from "../../input.js";
import type { Contents } from "./recorded-inputs.js";

const DIGEST = /^[0-9a-f]{64}$/;

/** The folder of `log.programs`: the instructions of programs, each in a file that is named by its SHA-256. */
export class ProgramFolder implements Contents {
  constructor(private readonly folder: string) {}

  /** Null if there is no such file, or if it was changed. Does not list the folder, which can have many files. */
  find(sha256: string): Uint8Array | null {
    if (!DIGEST.test(sha256)) return null;
    try {
      const bytes = readInput(join(this.folder, sha256));
      return hash("sha256", bytes) === sha256 ? bytes : null;
    } catch {
      return null;
    }
  }
}
