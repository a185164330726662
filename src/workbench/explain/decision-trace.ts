import type { ProgramSubject } from "../../bpf/model/facts.js";
import { unstated } from "../../engine/decision/program-signatures.js";
import { ERRNO } from "../../errno.js";
import type { Domain } from "../../policy/domain.js";
import type { Point } from "../../policy/linker/points.js";
import { DETACHED_SIGNATURE_TYPES } from "../../policy/model/signature-types.gen.js";
import type { RecordedAnswers } from "../replay/recorded-answers.js";
import type { RecordedSubject } from "../replay/recorded-subject.js";
import type { TracedCall, TraceEvent, TracePlace } from "./explanation.js";
import { factAt, shortened } from "./fact-values.js";

type HostFunctions = Parameters<Domain["ask"]>[5];

/** The most events of one policy. */
const MAX_EVENTS = 500;

/** What a trace needs to know of the decision. */
export interface TracedFrom {
  readonly answers: RecordedAnswers;
  readonly subject: RecordedSubject;
  /** The name of the subject in policies, such as `prog`. */
  readonly parameter: string;
  /** The caller as the log has it. */
  readonly current: object;
  readonly points: readonly Point[];
  readonly keyrings: ReadonlySet<string>;
  /** A line of a policy's file. */
  readonly sourceOf: (file: string, line: number) => string;
}

/** Passes a policy's calls on to the recorded answers, and notes them with all that it reads and where it is. */
export class DecisionTrace implements HostFunctions {
  readonly events: TraceEvent[] = [];
  /** The place where a function returned last. */
  returned: TracePlace | null = null;
  readonly #read = new Set<string>();
  #left = 0;
  #last: Point | null = null;

  constructor(private readonly from: TracedFrom) {}

  /** All events, without reads of objects of which parts were read, and without the last return. */
  get all(): readonly TraceEvent[] {
    const reads = [...this.#read];
    const shown = this.events.filter(
      (one) => one.event !== "read" || !isObject(one.value) || !reads.some((fact) => fact.startsWith(`${one.fact}.`)),
    );
    return this.#left === 0 ? shown : [...shown, { event: "more", count: this.#left }];
  }

  verify_signature(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): number {
    const signed = [this.#path(data), signature === null ? "null" : this.#path(signature)];
    const given = [...signed, JSON.stringify(keyring), type];
    // The guest answers this call itself, and a log does not have it
    if (signature === null && this.from.keyrings.has(keyring) && DETACHED_SIGNATURE_TYPES.includes(type))
      return this.#add("verify_signature", given, -ERRNO.ENODATA, "there is no signature");
    return this.#judged("verify_signature", given, (answers) =>
      answers.verify_signature(data, signature, keyring, type),
    );
  }

  signer_of(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): unknown {
    const signed = [this.#path(data), signature === null ? "null" : this.#path(signature)];
    return this.#judged("signer_of", [...signed, JSON.stringify(keyring), type], (answers) =>
      answers.signer_of(data, signature, keyring, type),
    );
  }

  verify_program(subject: object, keyring: string): number {
    const given = [this.from.parameter, JSON.stringify(keyring)];
    const reason = this.#unstated(keyring);
    if (reason !== null) return this.#add("verify_program", given, -ERRNO.ENODATA, reason);
    return this.#judged("verify_program", given, (answers) => answers.verify_program(subject, keyring));
  }

  statement_of(subject: object, keyring: string): number {
    const given = [this.from.parameter, JSON.stringify(keyring)];
    const reason = this.#unstated(keyring);
    if (reason !== null) {
      this.#add("statement_of", given, null, reason);
      return -1;
    }
    const shown = (index: number) =>
      index < 0 ? null : (factAt(this.from.subject.content.facts, `statements`) as readonly unknown[])[index];
    return this.#judged("statement_of", given, (answers) => answers.statement_of(subject, keyring), shown);
  }

  signer_of_program(subject: object, keyring: string): unknown {
    const given = [this.from.parameter, JSON.stringify(keyring)];
    return this.#judged("signer_of", given, (answers) => answers.signer_of_program(subject, keyring));
  }

  hash(algorithm: string, data: Uint8Array): string {
    const given = [JSON.stringify(algorithm), this.#path(data)];
    return this.#add("hash", given, this.from.answers.hash(algorithm, data));
  }

  read(data: Uint8Array, offset: number, length: number): Uint8Array {
    const bytes = this.from.answers.read(data, offset, length);
    this.#add("read", [this.#path(data), String(offset), String(length)], [...bytes]);
    return bytes;
  }

  map_lookup(map: string, key: string): unknown {
    return this.#add("map_lookup", texts(map, key), this.from.answers.map_lookup(map, key));
  }

  map_update(map: string, key: string, value: unknown): number {
    return this.#add("map_update", texts(map, key, value), this.from.answers.map_update(map, key, value));
  }

  map_delete(map: string, key: string): number {
    return this.#add("map_delete", texts(map, key), this.from.answers.map_delete(map, key));
  }

  fieldRead(path: string): void {
    this.from.answers.fieldRead(path);
    this.#addRead(`current.${path}`, factAt(this.from.current, path));
  }

  factRead(path: string): void {
    this.from.answers.factRead(path);
    if (path.endsWith(".")) return; // what is below a fact that was told before
    const dot = path.indexOf(".");
    const [of, fact] = [path.slice(0, dot), path.slice(dot + 1)];
    if (of === "subject")
      this.#addRead(`${this.from.parameter}.${fact}`, factAt(this.from.subject.content.facts, fact));
    if (of === "current") this.#addRead(path, factAt(this.from.current, fact));
  }

  pointReached(number: number): void {
    const point = this.from.points[number];
    if (point === undefined || (point.branch === null && !point.returns)) return;
    const before = this.#last;
    this.#last = point;
    const { file, line, column, branch } = point;
    const place = { file, line, column, source: this.from.sourceOf(file, line) };
    if (branch !== null) this.#push({ event: "branch", arm: branch.arm, ...place });
    else {
      // The place where the hook returned is told once more at the end
      if (point !== before) this.#push({ event: "return", ...place });
      this.returned = place;
    }
  }

  /** Why no statement is about the program, as the guest finds without asking; null if it asks the host. */
  #unstated(keyring: string): string | null {
    const program = this.from.subject.facts as ProgramSubject;
    const { statements = [], mismatches = [] } = program as Partial<ProgramSubject>;
    if (!this.from.keyrings.has(keyring) || statements.length + mismatches.length > 0) return null;
    return unstated(program).reason;
  }

  #judged<Result>(
    call: string,
    given: readonly string[],
    ask: (answers: RecordedAnswers) => Result,
    shown: (result: Result) => unknown = (result) => result,
  ): Result {
    const { answers } = this.from;
    const result = ask(answers);
    // A record can have any content, and so no paths
    const { reason: because, rule, signers, paths = [] } = answers.verified!;
    this.#push({ event: "call", call, arguments: given, result: shown(result), because, rule, signers, paths });
    return result;
  }

  #add<Result>(call: string, given: readonly string[], result: Result, because: string | null = null): Result {
    const rest = { because, rule: null, signers: [], paths: [] } satisfies Partial<TracedCall>;
    this.#push({ event: "call", call, arguments: given, result: shortened(result), ...rest });
    return result;
  }

  #addRead(fact: string, value: unknown): void {
    if (this.#read.has(fact)) return;
    this.#read.add(fact);
    this.#push({ event: "read", fact, value: shortened(value ?? null) });
  }

  #push(event: TraceEvent): void {
    if (this.events.length < MAX_EVENTS) this.events.push(event);
    else this.#left += 1;
  }

  #path(bytes: Uint8Array): string {
    return `${this.from.parameter}.${this.from.subject.pathOf(bytes)}`;
  }
}

function texts(...values: readonly unknown[]): readonly string[] {
  return values.map((value) => JSON.stringify(value) ?? "undefined");
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
