import { readInput } from "../input.js";

/** The first line of a file: so that no secret stands on a command line, where others can read it. Throws FILE_UNREADABLE. */
export function passphraseIn(path: string): string {
  return Buffer.from(readInput(path, MAX_PASSPHRASE)).toString("utf8").split(/\r?\n/, 1)[0] as string;
}

const MAX_PASSPHRASE = 65_536;
