import { CountersignError } from "../../error.js";

/** One block of a PEM file (RFC 7468): its label and its bytes. */
export interface PemBlock {
  readonly label: string;
  readonly bytes: Buffer;
  /** Header lines such as `DEK-Info`, where the old form of encrypted keys has them. */
  readonly headers: boolean;
}

/** Whether bytes look like PEM: DER never begins with a dash or a letter. */
export function isPem(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 65_536)).includes("-----BEGIN ");
}

/**
 * The blocks of a PEM file, in order; text between blocks is a comment. Throws KEYRING_INVALID where a block is not
 * closed or not base64, with its line.
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
      if (open === null || open.label !== label) throw broken(`\`END ${label}\` without its beginning`, index + 1);
      blocks.push(decode(open));
      open = null;
    }
  }
  if (open !== null) throw broken(`block \`${open.label}\` is not closed`, open.line);
  return blocks;
}

/** PEM of one block, 64 characters a line. */
export function writePem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

const BOUNDARY = /^-----(BEGIN|END) ([A-Z0-9 ]+)-----$/;
const NOT_BASE64 = /[^A-Za-z0-9+/]/;

/** Looks for what is wrong: a pattern that matches the whole text recurses, and lists have millions of characters. */
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
    remedy: "give PEM as the tool that made it wrote it, or DER",
  });
}
