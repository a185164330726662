import { EFFECTS, type EffectName } from "../../bpf/model/facts.js";
import { PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import type { CallerRecord, Digest, InputsDecisionRecord, VerificationContent } from "../../log/input-records.js";
import type { RecordReader } from "../../log/record-reader.js";
import { placeOf } from "./task-place.js";
import { isWellFormed, wellFormed } from "./well-formed.js";

/** A statement of the program by whose signature `verify_program` with the keyring is 0. */
export interface VerifiedStatement {
  readonly keyring: string;
  /** SHA-256 of the signed bytes, in lower-case hex. */
  readonly sha256: string;
  /** The full name of the program. */
  readonly name: string;
  /** The `key_id` of the first signer; null if the log does not say. */
  readonly signer: string | null;
}

/** What a decision about the load of a program says of the program. */
export interface SeenProgram {
  readonly name: string;
  readonly type: string;
  readonly digest: string;
  /** Sorted. */
  readonly effects: readonly EffectName[];
  /** By keyring, sorted. */
  readonly statements: readonly VerifiedStatement[];
  /** Whether it matches a statement that no policy asked about, so that the log does not say who signed it. */
  readonly isUnasked: boolean;
  /** See {@link placeOf}; null if programs are learnt for all tasks together. */
  readonly place: string | null;
  /** The release of the kernel that loaded it; null if the log does not say. */
  readonly kernel: string | null;
  /** The executable that loaded it; null if it is unknown. */
  readonly exe: string | null;
}

/** The names in a configuration: see NAME of src/config/schema.ts. */
const KEYRING = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * The program of a decision at `bpf_prog_load`, or a text that says why it cannot be learnt. A log can have any
 * content, so each value is checked. `label` is the key of the label that places are told apart by, or null.
 */
export function seenProgram(
  inputs: InputsDecisionRecord,
  reader: RecordReader,
  label: string | null,
): SeenProgram | string {
  const subject = reader.definition("subject", definitionIn(inputs.subject));
  const caller = reader.definition("caller", definitionIn(inputs.current));
  if (subject === null) return "the subject is not in the log";
  if (caller === null) return "the caller is not in the log";
  const facts = fieldsOf(fieldsOf(subject.content).facts);
  const { type, digest } = facts;
  const masked = (subject.masked ?? []).length > 0 ? " (see `log.mask`)" : "";
  if (typeof type !== "string" || !PROGRAM_TYPES.includes(type)) return `the type is not known${masked}`;
  if (typeof digest !== "string" || !SHA256.test(digest)) return `the digest is not in the log${masked}`;
  const effects = effectsIn(facts.effects);
  if (effects === null) return `the effects are not in the log, or of another version${masked}`;
  const place = label === null ? null : placeIn(caller, label);
  if (label !== null && place === null) return "the label of the container is masked or damaged";
  const name = typeof facts.name === "string" ? wellFormed(facts.name) : "";
  const { exe } = fieldsOf(caller.content);
  const statements = statementsIn(inputs, reader, facts.statements);
  if (statements === null) return "the result of a signature check is not in the log, or damaged";
  const by = { place, kernel: kernelOf(inputs, reader), exe: typeof exe === "string" ? wellFormed(exe) : null };
  const isStated = Array.isArray(facts.statements) && facts.statements.length > 0;
  const isUnasked = isStated && !callsIn(inputs.answers).some(isAboutProgram);
  return { name, type, digest, effects, statements, isUnasked, ...by };
}

function definitionIn(reference: unknown): Digest {
  const { definition } = fieldsOf(reference);
  return typeof definition === "string" ? definition : "";
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Effects that version 0.2 did not record. A program may have them. */
const LATER_EFFECTS: ReadonlySet<EffectName> = new Set(["reveals_addresses"]);

/** Null if an effect is missing, or there is one that this version does not know. */
function effectsIn(value: unknown): readonly EffectName[] | null {
  const recorded = fieldsOf(value);
  const later = [...LATER_EFFECTS].map((name) => [name, true]);
  const given: Readonly<Record<string, unknown>> = { ...Object.fromEntries(later), ...recorded };
  if (EFFECTS.some((name) => typeof given[name] !== "boolean")) return null;
  const known: readonly string[] = [...EFFECTS, "read_only"];
  if (Object.keys(given).some((name) => !known.includes(name))) return null;
  return EFFECTS.filter((name) => given[name] === true).sort();
}

function placeIn(caller: CallerRecord, label: string): string | null {
  return typeof caller.content === "object" && caller.content !== null ? placeOf(caller, label) : null;
}

function kernelOf({ configuration }: InputsDecisionRecord, reader: RecordReader): string | null {
  const content = fieldsOf(reader.definition("configuration", configuration)?.content);
  if (typeof content.writer !== "string") return null;
  const kernel: unknown = reader.writerOf(content as { readonly writer: string } as never)?.kernel;
  return typeof kernel === "string" ? wellFormed(kernel) : null;
}

/** The statements that policies verified; null if the log lacks a part of one. */
function statementsIn(
  { answers }: InputsDecisionRecord,
  reader: RecordReader,
  matched: unknown,
): readonly VerifiedStatement[] | null {
  const found = new Map<string, VerifiedStatement>();
  for (const call of callsIn(answers)) {
    if (!isAboutProgram(call)) continue;
    const { keyring, verification } = call;
    const content = reader.definition("verification", verification as Digest)?.content;
    if (typeof keyring !== "string" || !KEYRING.test(keyring) || content === undefined) return null;
    if (fieldsOf(content).verdict !== 0) continue;
    const statement = verifiedStatement(keyring, content, matched);
    if (statement === null) return null;
    found.set(keyring, statement);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, statement]) => statement);
}

function callsIn(answers: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(answers)) return [];
  return answers.flatMap((answer) => {
    const { calls } = fieldsOf(answer);
    return Array.isArray(calls) ? calls.map(fieldsOf) : [];
  });
}

/** Whether a call is of a helper about the program: the others that verify have `data`, see CallOfRecord. */
function isAboutProgram(call: Readonly<Record<string, unknown>>): boolean {
  return typeof call.verification === "string" && !("data" in call);
}

function verifiedStatement(keyring: string, content: VerificationContent, matched: unknown): VerifiedStatement | null {
  const { statement, signers } = fieldsOf(content);
  if (!Array.isArray(matched) || typeof statement !== "number") return null;
  const { sha256, name } = fieldsOf(matched[statement]);
  if (typeof sha256 !== "string" || !SHA256.test(sha256)) return null;
  if (typeof name !== "string" || !isWellFormed(name)) return null;
  const first: unknown = Array.isArray(signers) ? fieldsOf(signers[0]).key_id : null;
  return { keyring, sha256, name, signer: typeof first === "string" && SHA256.test(first) ? first : null };
}
