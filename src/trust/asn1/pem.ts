import { CountersignError } from "../../error.js";

/** One block of a PEM file (RFC 7468): its label and its decoded bytes. */
export interface PemBlock {
  readonly label: string;
  readonly bytes: Buffer;
  /** Whether it has header lines such as `DEK-Info`, as the old format of encrypted keys does (RFC 1421). */
  readonly headers: boolean;
}

/** Whether bytes are PEM: they contain the start of a block in their first 64 KiB. */
export function isPem(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 65_536)).includes("-----BEGIN ");
}

/**
 * The blocks of a PEM file, in order; text between blocks is a comment. Throws KEYRING_INVALID with the line if a block
 * is not closed or is not base64.
 */
export function readPem(bytes: Uint8Array): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  const lines = Buffer.from(bytes).toString("latin1").split(/\r?\n/);
  let open: { label: string; line: number; body: string[] } | null = null;
  for (const [index, raw] of lines.entries()) {
    const line = raw.trimEnd();
    const boundary = BOUNDARY.exec(line);
    if (boundary === null) {
      open?.body.push(line);
      continue;
    }
    const [, kind, label = ""] = boundary;
    if (kind === "BEGIN") {
      if (open !== null) throw broken(`block \`${open.label}\` is not closed`, open.line);
      open = { label, line: index + 1, body: [] };
    } else {
      if (open === null || open.label !== label) throw broken(`\`END ${label}\` without \`BEGIN ${label}\``, index + 1);
      blocks.push(decode(open));
      open = null;
    }
  }
  if (open !== null) throw broken(`block \`${open.label}\` is not closed`, open.line);
  return blocks;
}

/** PEM of one block, 64 characters per line. */
export function writePem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

const BOUNDARY = /^-----(BEGIN|END) ([A-Z0-9 ]+)-----$/;
const NOT_BASE64 = /[^A-Za-z0-9+/]/;

/**
 * Searches for an invalid character. A pattern that matches the whole text would recurse for each character, and CRLs
 * have millions of them.
 */
function isBase64(text: string): boolean {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return text.length % 4 === 0 && !NOT_BASE64.test(text.slice(0, text.length - padding));
}

function decode({ label, line, body }: { label: string; line: number; body: readonly string[] }): PemBlock {
  const headers = body.some((text) => text.includes(":"));
  const text = (headers ? body.slice(body.indexOf("") + 1) : body).map((part) => part.trim()).join("");
  if (text === "" || !isBase64(text)) throw broken(`block \`${label}\` is not base64`, line);
  return { label, bytes: Buffer.from(text, "base64"), headers };
}

function broken(message: string, line: number): CountersignError {
  return new CountersignError("KEYRING_INVALID", message, {
    place: `line ${line}`,
    remedy: "give the unmodified PEM that the tool wrote, or DER",
  });
}
