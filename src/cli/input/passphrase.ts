import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CountersignError } from "../../error.js";
import { readInput } from "../../input.js";

/** Sources of a passphrase or PIN. The command line itself is none, since other users can read it. */
export interface PassphraseOptions {
  readonly passphraseFile?: string;
  readonly passphraseFd?: string;
  readonly passphraseCredential?: string;
}

/** Returns the first line of a file. Throws FILE_UNREADABLE. */
function passphraseIn(path: string): string {
  return firstLine(readInput(path, MAX_PASSPHRASE));
}

/** The passphrase from the source that the options name; null if they name none. Throws USAGE, FILE_UNREADABLE. */
export function passphraseOf(options: PassphraseOptions): string | null {
  const { passphraseFile: file, passphraseFd: fd, passphraseCredential: credential } = options;
  if ([file, fd, credential].filter((source) => source !== undefined).length > 1)
    throw usage("several sources of one passphrase", "give one of --passphrase-file, -fd and -credential");
  if (file !== undefined) return passphraseIn(file);
  if (fd !== undefined) return fromDescriptor(fd);
  return credential === undefined ? null : passphraseIn(credentialPath(credential));
}

const MAX_PASSPHRASE = 65_536;

/** Passphrases by descriptor: a descriptor can be read only once, and several keys may need it. */
const read = new Map<string, string>();

function fromDescriptor(text: string): string {
  const known = read.get(text);
  if (known !== undefined) return known;
  if (!/^\d{1,9}$/.test(text))
    throw usage(`\`${text}\` is not a descriptor`, "write it as `--passphrase-fd 3 3<secret`");
  try {
    const passphrase = firstLine(readFileSync(Number(text)));
    read.set(text, passphrase);
    return passphrase;
  } catch (cause) {
    throw new CountersignError("FILE_UNREADABLE", `cannot be read: ${(cause as NodeJS.ErrnoException).code}`, {
      place: `descriptor ${text}`,
      remedy: "open it for the command, as in `countersign sign --passphrase-fd 3 … 3<secret`",
      cause,
    });
  }
}

/** The file of a systemd credential: systemd.exec(5), LoadCredential= and $CREDENTIALS_DIRECTORY. */
function credentialPath(name: string): string {
  const folder = process.env.CREDENTIALS_DIRECTORY;
  if (folder === undefined || folder === "")
    throw usage("there are no credentials: CREDENTIALS_DIRECTORY is not set", "set LoadCredential= in the unit");
  if (!/^[^/\0]+$/.test(name) || name === "." || name === "..")
    throw usage(`\`${name}\` is not the name of a credential`, "write it as LoadCredential= has it");
  return join(folder, name);
}

function firstLine(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8").split(/\r?\n/, 1)[0] as string;
}

function usage(message: string, remedy: string): CountersignError {
  return new CountersignError("USAGE", message, { remedy });
}
