import { CountersignError } from "../../error.js";
import { readSshKey, type SshKey, sshFingerprint } from "./ssh-key.js";

/** An SSH signer, from a line of a public key file or an allowed_signers file (ssh-keygen(1)). */
export interface SshSigner extends SshKey {
  /** The principals, or the comment, or else the key's fingerprint. */
  readonly name: string;
  /** The principals, or the comment; null if the line has neither. */
  readonly subject: string | null;
  /** Namespace patterns that this line allows; null if it has no `namespaces` option. */
  readonly namespaces: readonly string[] | null;
  /** Milliseconds since the epoch. */
  readonly validAfter: number;
  readonly validBefore: number;
}

/** Whether a text contains SSH keys: its first line that is neither empty nor a comment contains a key type. */
export function isSshKeys(text: string): boolean {
  const line = text.split("\n", 64).find((candidate) => /^\s*[^#\s]/.test(candidate));
  return line !== undefined && line.length < MAX_LINE && KEY.test(line);
}

/**
 * Reads every line; empty lines and lines that begin with `#` are skipped. Throws KEY_MALFORMED or KEYRING_INVALID with
 * the line.
 */
export function readSshKeys(text: string): readonly SshSigner[] {
  const signers: SshSigner[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    try {
      signers.push(readLine(line.trim()));
    } catch (error) {
      throw error instanceof CountersignError ? error.within(`line ${index + 1}`) : error;
    }
  }
  return signers;
}

const MAX_LINE = 8_192;
const KEY = /(?:^|\s)((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+)\s+([A-Za-z0-9+/]+={0,2})(?:\s+(.*))?$/;

function readLine(line: string): SshSigner {
  const found = line.length < MAX_LINE ? KEY.exec(line) : null;
  if (found === null) throw invalid("is not an SSH key line", "write `[principals] [options] type key [comment]`");
  const [, type, base64 = "", comment = ""] = found;
  const key = readSshKey(Buffer.from(base64, "base64"));
  if (key.type !== type)
    throw invalid(`names type \`${type}\` for a key of type ${key.type}`, "give the unmodified line");
  const [principals = "", ...options] = line
    .slice(0, found.index)
    .trim()
    .split(/\s+(?=(?:[^"]*"[^"]*")*[^"]*$)/);
  const terms = readOptions(options.join(" "));
  const subject = principals || comment.trim() || null;
  return { ...key, ...terms, subject, name: subject ?? sshFingerprint(key) };
}

type Terms = Pick<SshSigner, "namespaces" | "validAfter" | "validBefore">;

/**
 * Options such as `namespaces="a,b",valid-before="20300101Z"`. Every option is a restriction, so a line with an unknown
 * one is rejected.
 */
function readOptions(text: string): Terms {
  const terms = {
    namespaces: null as readonly string[] | null,
    validAfter: Number.NEGATIVE_INFINITY,
    validBefore: Number.POSITIVE_INFINITY,
  };
  for (const option of text.match(/(?:[^",]|"[^"]*")+/g) ?? []) {
    const [, written = "", value = ""] = /^([a-z-]+)="([^"]*)"$/i.exec(option) ?? [];
    const name = written.toLowerCase();
    if (name === "namespaces") terms.namespaces = value.split(",");
    else if (name === "valid-after") terms.validAfter = momentOf(value);
    else if (name === "valid-before") terms.validBefore = momentOf(value);
    else
      throw invalid(
        `has the option \`${option}\`, which is not supported or not in quotes`,
        'use only namespaces="…", valid-after="…" and valid-before="…"',
      );
  }
  return terms;
}

/** `YYYYMMDD[HHMM[SS]]Z`. Without the Z it would be local time and depend on the machine. */
function momentOf(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?Z$/.exec(text);
  if (parts === null) throw invalid(`has the time \`${text}\``, "write it as `YYYYMMDDHHMMSSZ`, in UTC");
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map((part) => Number(part ?? 0));
  const moment = Date.UTC(year, month - 1, day, hour, minute, second);
  const exact = new Date(moment)
    .toISOString()
    .replace(/[-:T]|\.\d+Z/g, "")
    .startsWith(text.slice(0, -1));
  if (exact) return moment;
  throw invalid(`has the time \`${text}\`, which does not exist`, "write it as `YYYYMMDDHHMMSSZ`, in UTC");
}

function invalid(message: string, remedy: string): CountersignError {
  return new CountersignError("KEYRING_INVALID", message, { remedy });
}
