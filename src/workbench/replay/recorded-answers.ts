import type { ProgramSubject } from "../../bpf/model/facts.js";
import { unknownName } from "../../engine/decision/helpers.js";
import { ERRNO, verdictName } from "../../errno.js";
import type { CallOfRecord, VerificationContent } from "../../log/input-records.js";
import type { Domain } from "../../policy/domain.js";
import type { MapWrite } from "../../policy/maps/map.js";
import type { MapSchema } from "../../policy/maps/map-schema.js";
import { SIGNATURE_TYPES } from "../../policy/model/signature-types.gen.js";
import { hash } from "../../trust/base/digest.js";
import type { OwnKeyrings } from "./own-keyrings.js";
import type { RecordedInputs } from "./recorded-inputs.js";

type HostFunctions = Parameters<Domain["ask"]>[5];

/** What a replay knows beside the record. */
export interface Known {
  /** The value of a key in a map that no policy writes to, as JSON text; undefined for any other map. */
  mapValue(map: string, key: string): string | null | undefined;
  /** Whether a keyring is the one that was recorded. */
  isRecordedKeyring(name: string): boolean;
  /** The keyrings of a configuration with its files; null for a recorded configuration. */
  readonly own: OwnKeyrings | null;
  readonly keyrings: ReadonlySet<string>;
  readonly maps: ReadonlySet<string>;
  /** The schemas of the maps that have one. */
  readonly schemas: ReadonlyMap<string, MapSchema>;
}

/** Ends a call whose answer was not recorded. */
class MissingInput extends Error {}

/**
 * Answers the helper calls of one attachment from the record. A call gets the answer of a recorded call with the same
 * arguments, in whatever order the policy calls. A policy may catch the error of a call that has no answer, so the
 * caller must look at {@link missing} afterwards.
 */
export class RecordedAnswers implements HostFunctions {
  /** The first input that the policy asked for and that is not in the record, for people; null if there is none. */
  missing: string | null = null;
  /** See {@link reasons}; null for none. */
  #reasons: Map<string, string> | null = null;
  /** The last verification that answered a call; null if none did so far. */
  verified: VerificationContent | null = null;
  /** The changes of maps, as the policy sees them; a null value marks a deleted key. Null if there are none. */
  #written: Map<string, Map<string, string | null>> | null = null;
  /** How many deletions of a key have been answered; null for none. Most policies change no map. */
  #deleted: Map<string, number> | null = null;

  constructor(
    private readonly calls: readonly CallOfRecord[],
    private readonly inputs: RecordedInputs,
    private readonly known: Known,
  ) {}

  /** Why signatures were accepted or rejected, by the guest's line about the call: see `Helpers`. */
  get reasons(): ReadonlyMap<string, string> {
    return this.#reasons ?? NO_REASONS;
  }

  verify_signature(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): number {
    const { verdict, reason } = this.#signature("verify_signature", data, signature, keyring, type);
    this.#explain(`verify_signature ${keyring} ${type}: ${verdictName(verdict)}`, reason);
    return verdict;
  }

  signer_of(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): unknown {
    return this.#signer(`signer_of ${keyring} ${type}`, this.#signature("signer_of", data, signature, keyring, type));
  }

  verify_program(_: object, keyring: string): number {
    const { verdict, reason } = this.#program(keyring);
    this.#explain(`verify_program ${keyring}: ${verdictName(verdict)}`, reason);
    return verdict;
  }

  statement_of(_: object, keyring: string): number {
    const { verdict, reason, statement } = this.#program(keyring);
    if (verdict !== 0) this.#explain(`statement_of ${keyring}: none`, `${verdictName(verdict)}: ${reason}`);
    return statement ?? -1;
  }

  signer_of_program(_: object, keyring: string): unknown {
    return this.#signer(`signer_of ${keyring}`, this.#program(keyring));
  }

  hash(algorithm: string, data: Uint8Array): string {
    const path = this.inputs.subject.pathOf(data);
    for (const call of this.calls)
      if (call.call === "hash" && call.algorithm === algorithm && call.data === path) return call.result;
    if (algorithm === "sha256") return this.inputs.subject.sha256Of(data);
    const content = this.#contentOf(data);
    if (content !== null) return hash(algorithm, content);
    return this.#miss(`the ${algorithm} of \`${path}\``);
  }

  read(data: Uint8Array, offset: number, length: number): Uint8Array {
    const path = this.inputs.subject.pathOf(data);
    for (const call of this.calls) {
      if (call.call !== "read" || call.data !== path || call.bytes === undefined) continue;
      const from = offset - call.offset;
      if (from >= 0 && from + length <= call.length)
        return Buffer.from(call.bytes, "hex").subarray(from, from + length);
    }
    if (length === 0) return new Uint8Array(0);
    const content = this.#contentOf(data);
    if (content !== null) return content.slice(offset, offset + length);
    return this.#miss(`bytes ${offset} to ${offset + length - 1} of \`${path}\``);
  }

  fieldRead(path: string): void {
    if (path === "container.annotations" && !this.inputs.hasAnnotations) this.#miss("`current.container.annotations`");
  }

  /** Told of a configuration that records reads alone. The fact has no value that a policy could use. */
  factRead(path: string): void {
    const pointer = this.inputs.masked.readBy(path);
    if (pointer !== null) this.missing ??= `the masked ${pointer}`;
  }

  map_lookup(map: string, key: string): unknown {
    const text = this.#seen(map, key);
    return text === null ? undefined : JSON.parse(text);
  }

  map_update(map: string, key: string, value: unknown): number {
    this.#requireMap(map);
    const text = JSON.stringify(value) ?? "";
    const schema = this.known.schemas.get(map);
    const isBroken = schema !== undefined && text !== "" && schema.breach(key, JSON.parse(text)) !== null;
    for (const call of this.calls) {
      if (call.call !== "map_update" || call.map !== map || call.key !== key || JSON.stringify(call.value) !== text)
        continue;
      const { result } = call;
      if (result !== -ERRNO.EPERM && isBroken) return -ERRNO.EINVAL;
      // Only a schema rejects JSON, so the recorded one did: whether there was room is not known
      if (result === -ERRNO.EINVAL && value !== undefined) break;
      if (result === 0) this.#write(map, key, text);
      return result;
    }
    return this.#miss(`whether map \`${map}\` takes ${JSON.stringify(key)}: ${text}`);
  }

  map_delete(map: string, key: string): number {
    this.#requireMap(map);
    const results = this.calls.flatMap((call) =>
      call.call === "map_delete" && call.map === map && call.key === key ? [call.result] : [],
    );
    this.#deleted ??= new Map();
    const taken = this.#deleted.get(`${map} ${key}`) ?? 0;
    this.#deleted.set(`${map} ${key}`, taken + 1);
    const result = results[taken];
    if (result === undefined) return this.#miss(`whether map \`${map}\` has ${JSON.stringify(key)} to delete`);
    if (result === 0) this.#write(map, key, null);
    return result;
  }

  /** The changes of maps, in the order of a commit. */
  writes(): readonly MapWrite[] {
    if (this.#written === null) return NO_WRITES;
    return [...this.#written].flatMap(([map, values]) => [...values].map(([key, value]) => ({ map, key, value })));
  }

  #seen(map: string, key: string): string | null {
    this.#requireMap(map);
    const written = this.#written?.get(map)?.get(key);
    return written === undefined ? this.#before(map, key) : written;
  }

  /** The value before the decision: that of the first look-up, if the policy had not written to the key before it. */
  #before(map: string, key: string): string | null {
    const value = this.known.mapValue(map, key);
    if (value !== undefined) return value;
    for (const call of this.calls) {
      if (!("map" in call) || call.map !== map || call.key !== key) continue;
      if (call.call === "map_lookup") return call.value === undefined ? null : JSON.stringify(call.value);
      break;
    }
    return this.#miss(`the value of ${JSON.stringify(key)} in map \`${map}\``);
  }

  /** A deletion of a key that was not there before the decision leaves nothing to commit. */
  #write(map: string, key: string, value: string | null): void {
    this.#written ??= new Map();
    const values = this.#written.get(map) ?? new Map<string, string | null>();
    this.#written.set(map, values);
    const isOwn = value === null && values.has(key) && this.#isNew(map, key);
    if (isOwn) values.delete(key);
    else values.set(key, value);
  }

  /** Whether the log says that the key was not there before the decision. */
  #isNew(map: string, key: string): boolean {
    const first = this.calls.find((call) => call.call === "map_lookup" && call.map === map && call.key === key);
    return first?.call === "map_lookup" ? first.value === undefined : true;
  }

  #signer(call: string, { verdict, reason, signers }: VerificationContent): unknown {
    const [first] = signers;
    if (first === undefined) this.#explain(`${call}: none`, `${verdictName(verdict)}: ${reason}`);
    return first ?? null;
  }

  #signature(
    helper: "verify_signature" | "signer_of",
    data: Uint8Array,
    signature: Uint8Array | null,
    keyring: string,
    type: string,
  ): VerificationContent {
    this.#requireKeyring(keyring);
    if (!(SIGNATURE_TYPES as readonly string[]).includes(type))
      throw unknownName("signature type", type, SIGNATURE_TYPES);
    const { subject } = this.inputs;
    const [from, signed] = [subject.pathOf(data), signature === null ? null : subject.pathOf(signature)];
    if (this.known.isRecordedKeyring(keyring))
      for (const call of this.calls)
        if (
          (call.call === "verify_signature" || call.call === "signer_of") &&
          call.keyring === keyring &&
          call.data === from &&
          call.signature === signed &&
          call.signature_type === type
        )
          return this.#verified(call.verification);
    const own = this.#verifiedBySelf(data, signature, keyring, type);
    if (own !== null) return own;
    this.#requireRecorded(keyring);
    return this.#miss(`the signature \`${signed}\` over \`${from}\` by keyring \`${keyring}\` (${helper} ${type})`);
  }

  /** Null without the bytes, or without the files of the keyring. */
  #verifiedBySelf(
    data: Uint8Array,
    signature: Uint8Array | null,
    keyring: string,
    type: string,
  ): VerificationContent | null {
    const content = this.#contentOf(data);
    const signed = signature === null ? null : this.#contentOf(signature);
    if (this.known.own === null || content === null || (signature !== null && signed === null)) return null;
    const about = {
      data: this.inputs.subject.sha256Of(data),
      signature: signature === null ? null : this.inputs.subject.sha256Of(signature),
      signature_type: type,
    };
    this.verified = this.known.own.verify(content, signed, keyring, about, timeOf(this.inputs));
    return this.verified;
  }

  #program(keyring: string): VerificationContent {
    this.#requireKeyring(keyring);
    if (this.known.isRecordedKeyring(keyring))
      for (const call of this.calls)
        if ("verification" in call && !("data" in call) && call.keyring === keyring)
          return this.#verified(call.verification);
    const { subject, contents } = this.inputs;
    const program = subject.facts as ProgramSubject;
    const at = timeOf(this.inputs);
    const own = contents === null ? null : (this.known.own?.verifyProgram(program, keyring, at) ?? null);
    if (own !== null) {
      this.verified = own;
      return own;
    }
    this.#requireRecorded(keyring);
    return this.#miss(`the statements of the program by keyring \`${keyring}\``);
  }

  #explain(answer: string, reason: string): void {
    this.#reasons ??= new Map();
    this.#reasons.set(answer, reason);
  }

  #contentOf(bytes: Uint8Array): Uint8Array | null {
    return this.inputs.contents?.find(this.inputs.subject.sha256Of(bytes)) ?? null;
  }

  #verified(digest: string): VerificationContent {
    this.verified = this.inputs.verification(digest) ?? this.#miss(`verification ${digest}, which is not in the log`);
    return this.verified;
  }

  #requireKeyring(name: string): void {
    if (!this.known.keyrings.has(name)) throw unknownName("keyring", name, this.known.keyrings);
  }

  #requireRecorded(name: string): void {
    if (!this.known.isRecordedKeyring(name))
      this.#miss(`signatures by keyring \`${name}\`, which is another than recorded`);
  }

  #requireMap(name: string): void {
    if (!this.known.maps.has(name)) throw unknownName("map", name, this.known.maps);
  }

  #miss(what: string): never {
    this.missing ??= what;
    throw new MissingInput(what);
  }
}

const NO_REASONS: ReadonlyMap<string, string> = new Map();
const NO_WRITES: readonly never[] = Object.freeze([]);

/** The time of a decision, in milliseconds since the epoch. */
function timeOf({ time }: RecordedInputs): number {
  return Date.parse(time);
}
