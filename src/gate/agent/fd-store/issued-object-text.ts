import { completedFacts } from "../../../bpf/completed-facts.js";
import { sha256 } from "../../../bpf/insn/digest.js";
import type { ProgramSubject } from "../../../bpf/model/facts.js";
import { PROGRAM_FIELDS } from "../../../bpf/model/program-fields.js";
import { COUNT, type FactsOf, FLAG, hex, list, object, orNull, readFacts, TEXT } from "../../../fact-type.js";
import type { IssuedObject, MapEntry } from "../../call/issued-objects.js";

/**
 * Version of the encoding. Objects of another version are not read. A version of Countersign that adds facts does not
 * change it: readers ignore facts that they do not know, and complete those that are missing.
 */
const VERSION = 1;

/** Encodes an issued object as one line of JSON for {@link readIssuedObject}; bytes are base64. */
export function issuedObjectText(issued: IssuedObject): string {
  return JSON.stringify({ version: VERSION, ...issued }, (_, value) =>
    value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value,
  );
}

/**
 * Decodes a line of {@link issuedObjectText}, which an earlier or a later version of Countersign may have written.
 * Returns null for any other text.
 */
export function readIssuedObject(line: string): IssuedObject | null {
  let value: unknown;
  try {
    value = JSON.parse(line, (_, its) => (isBytes(its) ? new Uint8Array(Buffer.from(its.base64, "base64")) : its));
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { version, id, subject, entry, roles } = value as Readonly<Record<string, unknown>>;
  if (version !== VERSION || !isPositive(id)) return null;
  if ([subject, entry, roles].filter((each) => each !== undefined).length !== 1) return null;
  if (subject !== undefined) return readProgram(id, subject);
  return entry === undefined ? readRoles(id, roles) : readMap(id, entry);
}

/** The facts that the gate itself uses of an issued program. No version writes a program without them. */
const NEEDED = ["name", "type", "insns", "raw_insns", "digest", "tag", "maps"] as const;

function readProgram(id: number, value: unknown): IssuedObject | null {
  const missing: string[] = [];
  const facts = readFacts(PROGRAM_FIELDS, value, "", missing);
  if (facts === undefined || !NEEDED.every((name) => Object.hasOwn(facts, name))) return null;
  // an issued program was loaded by bpf(2), so it has no object file and is loaded
  if ((facts.object ?? null) !== null || facts.loaded === null) return null;
  if (sha256(facts.insns) !== facts.digest) return null;
  const completed = completedFacts<ProgramSubject>({ facts, missing: [...new Set(missing)] });
  const subject = completed.facts as ProgramSubject;
  return completed.missing.length === 0 ? { id, subject } : { id, subject, missing: completed.missing };
}

const DEFINITION_FIELDS = {
  type: { type: COUNT, doc: "" },
  keySize: { type: COUNT, doc: "" },
  valueSize: { type: COUNT, doc: "" },
  maxEntries: { type: COUNT, doc: "" },
  flags: { type: COUNT, doc: "" },
  mapExtra: { type: TEXT, doc: "" },
  ifindex: { type: COUNT, doc: "" },
  btf: { type: orNull(hex(32), "if the program has none"), doc: "" },
  keyTypeId: { type: COUNT, doc: "" },
  valueTypeId: { type: COUNT, doc: "" },
} as const;

const CREATION_FIELDS = {
  numaNode: { type: COUNT, doc: "" },
  inner: { type: orNull(object("LiveMapDefinition", DEFINITION_FIELDS), "if it is no map of maps"), doc: "" },
  innerBtfId: { type: COUNT, doc: "" },
} as const;

const ROLES = list(object("MapRole", { object: { type: hex(32), doc: "" }, name: { type: TEXT, doc: "" } }));

const ENTRY_FIELDS = {
  creator: { type: COUNT, doc: "" },
  process: { type: TEXT, doc: "" },
  memory: { type: COUNT, doc: "" },
  exclusive: { type: FLAG, doc: "" },
  withheld: { type: FLAG, doc: "" },
  creation: { type: object("MapCreation", CREATION_FIELDS), doc: "" },
  roles: { type: ROLES, doc: "" },
} as const;

/** Facts that not every map has, or that earlier versions did not record. */
const OPTIONAL: ReadonlySet<string> = new Set(["process", "withheld", "creation", "creation.innerBtfId", "roles"]);

function readMap(id: number, value: unknown): IssuedObject | null {
  const missing: string[] = [];
  const entry: Partial<FactsOf<typeof ENTRY_FIELDS>> | undefined = readFacts(ENTRY_FIELDS, value, "", missing);
  if (!isPositive(entry?.creator) || missing.some((name) => !OPTIONAL.has(name))) return null;
  return { id, entry: entry as MapEntry };
}

/** Of a map that was created elsewhere. */
function readRoles(id: number, value: unknown): IssuedObject | null {
  const missing: string[] = [];
  const read = readFacts({ roles: { type: ROLES, doc: "" } }, { roles: value }, "", missing);
  return read?.roles === undefined || missing.length > 0 ? null : { id, roles: read.roles };
}

function isPositive(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isBytes(value: unknown): value is { readonly base64: string } {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 1) return false;
  return typeof (value as { base64?: unknown }).base64 === "string";
}
