import { AbsentBytes } from "../../absent-bytes.js";
import type { ProgramSubject } from "../../bpf/model/facts.js";
import { clipped } from "../../clipped.js";
import { verdictName } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { didYouMean } from "../../nearest.js";
import type { MapView } from "../../policy/maps/map-view.js";
import type { CertificateFacts, Judgement, SignerFacts } from "../../policy/model/helper-call.js";
import type { Dependency } from "../../policy/model/outcome.js";
import { SIGNATURE_TYPES } from "../../policy/model/signature-types.gen.js";
import { type HostFunctions, UnknownInput } from "../../sandbox/host.js";
import { hash } from "../../trust/base/digest.js";
import type { SignerIdentity } from "../../trust/base/signer-identity.js";
import type { SignatureType } from "../../trust/formats/formats.js";
import type { Keyring } from "../../trust/keyring.js";
import type { Signer } from "../../trust/model/signer.js";
import type { Verification } from "../../trust/model/verification.js";
import { CallRecorder } from "./call-recorder.js";
import { type ProgramSignatures, type ProgramVerification, unstated } from "./program-signatures.js";

/** The time of the current hook, shared by all attachments of an engine. */
export interface Moment {
  time: number;
  /** Keyrings that the present decision asked, and the generation of each. */
  readonly keyrings: Map<string, number>;
}

/**
 * The helpers that one attachment's policy can call. A keyring, map or signature type that does not exist throws, so
 * that the policy faults: a misspelt keyring must not look like a missing signature.
 */
export class Helpers implements HostFunctions {
  /**
   * Results of signature checks in the current call of the policy: the answer as the guest records it, and the reason.
   */
  private readonly found = new Map<string, string>();
  /** Keyed by kind and name; null if they are not recorded. */
  private readonly recorded: Map<string, Dependency> | null;
  /** Whether the annotations of the container are known. */
  private hasAnnotations = true;
  /** Null if calls are not recorded. */
  readonly calls: CallRecorder | null;

  constructor(
    private readonly keyrings: ReadonlyMap<string, Keyring>,
    private readonly maps: MapView,
    private readonly moment: Moment,
    private readonly programs: ProgramSignatures,
    recordsReads = false,
    recordsCalls = false,
  ) {
    this.recorded = recordsReads ? new Map() : null;
    this.calls = recordsCalls ? new CallRecorder() : null;
  }

  /** What the present call of the policy asked for; null if it is not recorded. */
  get dependencies(): readonly Dependency[] | null {
    return this.recorded === null ? null : [...this.recorded.values()];
  }

  /** Clears the results of the call before. */
  begin(hasAnnotations = true): void {
    this.hasAnnotations = hasAnnotations;
    if (this.found.size > 0) this.found.clear();
    this.recorded?.clear();
    this.calls?.begin();
  }

  /** Adds reasons to the guest's answers about signatures. `subject` is that of the decision. */
  explained(answers: readonly string[], subject: object): readonly string[] {
    return explainedAnswers(answers, this.found, subject);
  }

  verify_signature(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): number {
    const verification = this.verified(data, signature, keyring, type);
    const { verdict, reason } = verification;
    this.addJudged("verify_signature", data, signature, keyring, type, verification);
    this.record("signature type", type);
    return this.verdictFound(`verify_signature ${keyring} ${type}`, verdict, reason);
  }

  signer_of(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): unknown {
    const verification = this.verified(data, signature, keyring, type);
    const { signers, verdict, reason } = verification;
    const [first] = signers;
    this.addJudged("signer_of", data, signature, keyring, type, verification);
    this.record("signer", keyring);
    if (first === undefined) this.found.set(`signer_of ${keyring} ${type}: none`, `${verdictName(verdict)}: ${reason}`);
    return first === undefined ? null : factsOfSigner(first);
  }

  verify_program(subject: object, keyring: string): number {
    const { verdict, reason } = this.verifiedProgram("verify_program", subject, keyring);
    return this.verdictFound(`verify_program ${keyring}`, verdict, reason);
  }

  statement_of(subject: object, keyring: string): number {
    const { verdict, reason, statement } = this.verifiedProgram("statement_of", subject, keyring);
    if (verdict !== 0) this.found.set(`statement_of ${keyring}: none`, `${verdictName(verdict)}: ${reason}`);
    return statement;
  }

  signer_of_program(subject: object, keyring: string): unknown {
    const { verdict, reason, signers } = this.verifiedProgram("signer_of_program", subject, keyring);
    const [first] = signers;
    if (first === undefined) this.found.set(`signer_of ${keyring}: none`, `${verdictName(verdict)}: ${reason}`);
    return first === undefined ? null : factsOfSigner(first);
  }

  factRead(path: string): void {
    const dot = path.indexOf(".");
    this.record(path.slice(0, dot) as "subject" | "current" | "bytes", path.slice(dot + 1));
  }

  fieldRead(path: string): void {
    if (path !== "container.annotations") return;
    if (!this.hasAnnotations) throw new UnknownInput("read `current.container.annotations`, which the request lacks");
    if (this.calls !== null) this.calls.readsAnnotations = true;
  }

  read(data: Uint8Array, offset: number, length: number): Uint8Array {
    if (length > 0) present(data);
    this.calls?.addRead(data, offset, length);
    return data.subarray(offset, offset + length);
  }

  hash(algorithm: string, data: Uint8Array): string {
    this.record("bytes", "hash");
    const result = data instanceof AbsentBytes && algorithm === "sha256" ? data.sha256 : hash(algorithm, present(data));
    this.calls?.add({ call: "hash", algorithm, data, result });
    return result;
  }

  map_lookup(map: string, key: string): unknown {
    this.record("map", map);
    const text = this.its(map).lookup(map, key);
    this.calls?.add({ call: "map_lookup", map, key, value: text });
    return text === null ? undefined : JSON.parse(text);
  }

  map_update(map: string, key: string, value: unknown): number {
    this.record("map write", map);
    const text = JSON.stringify(value) ?? "";
    const result = this.its(map).update(map, key, text);
    this.calls?.add({ call: "map_update", map, key, value: text, result });
    return result;
  }

  map_delete(map: string, key: string): number {
    this.record("map write", map);
    const result = this.its(map).delete(map, key);
    this.calls?.add({ call: "map_delete", map, key, result });
    return result;
  }

  /** Keeps the reason of an answer, for {@link explained}. Returns the verdict. */
  protected verdictFound(call: string, verdict: number, reason: string): number {
    this.found.set(`${call}: ${verdictName(verdict)}`, reason);
    return verdict;
  }

  /** Throws POLICY_UNKNOWN_NAME for a keyring or signature type that does not exist. */
  protected rejectUnknown(keyring: string, type?: string): void {
    this.keyring(keyring);
    if (type === undefined || (SIGNATURE_TYPES as readonly string[]).includes(type)) return;
    throw unknownName("signature type", type, SIGNATURE_TYPES);
  }

  protected rejectUnknownMap(map: string): void {
    this.its(map);
  }

  /** The sandbox lets policies ask about the subject of a decision only, and only if it is a program. */
  private verifiedProgram(
    call: "verify_program" | "statement_of" | "signer_of_program",
    subject: object,
    keyring: string,
  ): ProgramVerification {
    const its = this.keyring(keyring);
    this.moment.keyrings.set(keyring, its.generation);
    const program = subject as ProgramSubject;
    if (program.statements.length + program.mismatches.length > 0) this.record("keyring", keyring);
    const verification = this.programs.verify(program, its, this.moment.time);
    const used = verification.statement === -1 ? undefined : program.statements[verification.statement];
    if (used === undefined) this.record("unsigned", keyring);
    else this.record("statement", used.sha256);
    if (this.calls !== null) {
      const { verdict, reason, rule, statement } = verification;
      const found = { verdict, reason, rule, statement, ...factsOfSigners(verification) };
      this.calls.add({ call, keyring, judgement: { generation: its.generation, ...found } });
    }
    return verification;
  }

  private addJudged(
    call: "verify_signature" | "signer_of",
    data: Uint8Array,
    signature: Uint8Array | null,
    keyring: string,
    type: string,
    verification: Verification,
  ): void {
    if (this.calls === null) return;
    const { generation } = this.keyring(keyring);
    const { verdict, reason, rule } = verification;
    const judgement = { generation, verdict, reason, rule, statement: null, ...factsOfSigners(verification) };
    this.calls.add({ call, data, signature, keyring, type, judgement });
  }

  private record(on: Dependency["on"], name: string): void {
    this.recorded?.set(`${on} ${name}`, { on, name });
  }

  private keyring(name: string): Keyring {
    const its = this.keyrings.get(name);
    if (its === undefined) throw unknownName("keyring", name, this.keyrings.keys());
    return its;
  }

  private verified(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): Verification {
    this.rejectUnknown(keyring, type);
    const its = this.keyring(keyring);
    this.record("keyring", keyring);
    const verification = its.verify(
      present(data),
      signature === null ? null : present(signature),
      type as SignatureType,
      this.moment.time,
    );
    this.moment.keyrings.set(keyring, its.generation);
    return verification;
  }

  private its(map: string): MapView {
    if (!this.maps.has(map)) throw unknownName("map", map, this.maps.names());
    return this.maps;
  }
}

/** The bytes themselves. Throws UnknownInput for those of which only the digest is known. */
function present(bytes: Uint8Array): Uint8Array {
  if (!(bytes instanceof AbsentBytes)) return bytes;
  const { path, sha256 } = bytes;
  throw new UnknownInput(`needs the bytes of \`${path}\`, of which only the SHA-256 is known: ${sha256}`);
}

/** Adds reasons to a guest's answers about signatures; `found` has the reasons of those that the host gave. */
export function explainedAnswers(
  answers: readonly string[],
  found: ReadonlyMap<string, string>,
  subject: object,
): readonly string[] {
  return answers.map((answer) => {
    const because = found.get(answer) ?? guestReason(answer, subject);
    return because === null ? answer : `${answer} (${because})`;
  });
}

/** The reason of an answer that the guest gave without asking: there is nothing to verify. */
function guestReason(answer: string, subject: object): string | null {
  if (answer.startsWith("verify_signature ") && answer.endsWith(": -ENODATA")) return "there is no signature";
  const { reason } = unstated(subject as ProgramSubject);
  if (answer.startsWith("verify_program ") && answer.endsWith(": -ENODATA")) return reason;
  return answer.startsWith("statement_of ") && answer.endsWith(": none") ? `-ENODATA: ${reason}` : null;
}

/** The signer, as policies see it. */
export function factsOfSigner({ subject, key, serial, issuer }: Signer): SignerFacts {
  return { subject, key_id: key.fingerprint, serial, issuer };
}

/** The signers of a verification and the certificate paths, as a log has them. */
export function factsOfSigners({
  signers,
  paths,
}: Pick<Verification, "signers" | "paths">): Pick<Judgement, "signers" | "paths"> {
  return { signers: signers.map(factsOfSigner), paths: paths.map((path) => path.map(factsOfCertificate)) };
}

/**
 * The most characters of a name in a path. Certificates of a rejected signature can have any names, and a record must
 * not become too long to be written.
 */
const MAX_NAME = 512;

function factsOfCertificate({ subject, serial, issuer }: SignerIdentity): CertificateFacts {
  const name = (text: string | null) => (text === null ? null : clipped(text, MAX_NAME));
  return { subject: name(subject), serial: name(serial), issuer: name(issuer) };
}

/** The error for a keyring, map or signature type that does not exist. */
export function unknownName(kind: string, name: string, known: Iterable<string>): CountersignError {
  return new CountersignError("POLICY_UNKNOWN_NAME", `no ${kind} \`${name}\`${didYouMean(name, known)}`, {
    remedy: `give the configuration a ${kind} of this name, or correct the policy`,
  });
}
