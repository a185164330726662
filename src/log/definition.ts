import { hash } from "node:crypto";
import type { Origin } from "../hooks/decision.js";
import type { DefinitionType, Digest } from "./input-records.js";
import { RECORD_VERSION } from "./record.js";

/** The digest of a definition's content; see {@link Digest}. `content` is JSON text as JSON.stringify writes it. */
export function digestOfContent(content: string): Digest {
  return hash("sha256", content).slice(0, 32);
}

/** A definition that a decision refers to. */
export interface Defined {
  readonly type: DefinitionType;
  readonly digest: Digest;
  /** The content as JSON text. It is made again for each file that needs it. */
  readonly content: () => string;
  readonly masked: readonly string[];
}

/** The largest content of a subject, caller or verification to write, in characters. */
const MAX_CONTENT = 2 ** 19;

/**
 * The line of a definition, with its line feed; empty if it is too long. A decision that refers to it then cannot be
 * made again. `time` is that of the decision, as {@link timestamp} writes it.
 */
export function definitionLine({ type, digest, content, masked }: Defined, time: string, origin: Origin): string {
  const text = content();
  if (text.length > MAX_CONTENT && type !== "configuration") return "";
  const left = masked.length === 0 ? "" : `,"masked":${JSON.stringify(masked)}`;
  return `${head("info", type, time, origin)},"digest":"${digest}"${left},"content":${text}}\n`;
}

/** The beginning of a record, without its end: the fields of {@link RecordHead}. */
export function head(level: string, type: string, time: string, origin: Origin): string {
  return `{"level":"${level}","type":"${type}","version":${RECORD_VERSION},"time":"${time}","origin":"${origin}"`;
}
