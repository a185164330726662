import { createHash } from "node:crypto";
import { EFFECTS } from "../../bpf/facts.js";
import type { LoadedFacts, ProgramSubject } from "../../hooks/subject.js";
import type { IssuedObject, MapEntry } from "../call/issued-objects.js";

/** Version of the encoding. Objects of another version are not read. */
const VERSION = 1;

/** Encodes an issued object as one line of JSON for {@link readIssuedObject}; bytes are base64. */
export function issuedObjectText(issued: IssuedObject): string {
  return JSON.stringify({ version: VERSION, ...issued }, (_, value) =>
    value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value,
  );
}

/** Decodes a line of {@link issuedObjectText}. Returns null for any other text. */
export function readIssuedObject(line: string): IssuedObject | null {
  let value: unknown;
  try {
    value = JSON.parse(line, (_, its) => (isBytes(its) ? new Uint8Array(Buffer.from(its.base64, "base64")) : its));
  } catch {
    return null;
  }
  if (!isProgram(value) && !isMap(value)) return null;
  const { version: _, ...issued } = value as IssuedObject & { readonly version: number };
  return issued;
}

type Check = (value: unknown) => boolean;

const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const positive: Check = (value) => count(value) && (value as number) > 0;
const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const bytes: Check = (value) => value instanceof Uint8Array;
const hex =
  (length: number): Check =>
  (value) =>
    typeof value === "string" && value.length === length && /^[0-9a-f]*$/.test(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
/** Checks that an object has these fields and no others. */
const fields =
  <T extends object>(checks: Readonly<Record<keyof T, Check>>): Check =>
  (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).every((key) => Object.hasOwn(checks, key)) &&
    Object.entries<Check>(checks).every(([key, check]) => check((value as Readonly<Record<string, unknown>>)[key]));

const isMapFacts = fields<ProgramSubject["maps"][number]>({
  ...{ name: text, type: text, key_size: count, value_size: count, max_entries: count, flags: count },
  ...{ contents: orNull(hex(64)), memory: count, memory_per_cpu: count },
});
const isEvidence = fields<ProgramSubject["evidence"][number]>({
  ...{ effect: text, insn: orNull(count), text: orNull(text), source: orNull(text), because: text },
  ends_read_only: flag,
});
const isLoaded = fields<LoadedFacts>({
  ...{ tag: hex(16), verified_insns: count, xlated_size: count, jited_size: count, map_ids: list(count) },
});
const isSubject = fields<ProgramSubject>({
  ...{ name: text, section: orNull(text), type: text, expected_attach_type: orNull(text), attach_to: orNull(text) },
  ...{
    license: text,
    gpl_compatible: flag,
    insn_cnt: count,
    insns: bytes,
    raw_insns: bytes,
    digest: hex(64),
    tag: hex(16),
  },
  ...{ helpers: list(text), kfuncs: list(text), maps: list(isMapFacts), evidence: list(isEvidence) },
  effects: fields(Object.fromEntries([...EFFECTS, "read_only"].map((name) => [name, flag]))),
  ...{ signature: orNull(bytes), kernel_signature: orNull(bytes), kernel_keyring: orNull(text) },
  // an issued program was loaded by bpf(2), so it has no object file and is loaded
  ...{ object: (value) => value === null, loaded: isLoaded, rewritten: flag },
});
const isEntry = fields<MapEntry>({
  ...{ creator: positive, memory: count, exclusive: flag, withheld: (value) => value === undefined || flag(value) },
});

const version: Check = (value) => value === VERSION;
const hasProgram = fields<{ version: number; id: number; subject: ProgramSubject }>({
  ...{ version, id: positive, subject: isSubject },
});
const isMap = fields<{ version: number; id: number; entry: MapEntry }>({ version, id: positive, entry: isEntry });

function isProgram(value: unknown): boolean {
  if (!hasProgram(value)) return false;
  const { insns, digest } = (value as { readonly subject: ProgramSubject }).subject;
  return createHash("sha256").update(insns).digest("hex") === digest;
}

function isBytes(value: unknown): value is { readonly base64: string } {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 1) return false;
  return typeof (value as { base64?: unknown }).base64 === "string";
}
