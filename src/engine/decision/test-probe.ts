import type { HelperAnswer } from "../../config/helper-answers.js";
import type { MapView } from "../../policy/maps/map-view.js";
import type { Keyring } from "../../trust/keyring.js";
import { Helpers, type Moment } from "./helpers.js";
import type { ProgramSignatures } from "./program-signatures.js";

/** What a test of policies gives to an engine, and what it learns of the decisions. */
export class TestProbe {
  /** Spellings of the answers that a policy used in this case. */
  readonly used = new Set<string>();
  /** The points that each attachment's policy reached in this case, by their numbers. */
  readonly reached = new Map<string, Set<number>>();
  #answers: readonly HelperAnswer[] = [];

  /** `marksPoints`: whether policies are linked so that they tell which points they reach. */
  constructor(readonly marksPoints: boolean) {}

  begin(answers: readonly HelperAnswer[]): void {
    this.#answers = answers;
    this.used.clear();
    this.reached.clear();
  }

  /** The answer for a call, the one that names most of its arguments; undefined if the test gives none. */
  answer(helper: HelperAnswer["helper"], ...args: readonly string[]): HelperAnswer["answer"] | undefined {
    const fitting = this.#answers.filter(
      (one) => one.helper === helper && one.args.every((arg, index) => arg === args[index]),
    );
    const found = fitting.sort((left, right) => right.args.length - left.args.length)[0];
    if (found === undefined) return undefined;
    this.used.add(found.call);
    return found.answer;
  }

  reach(attachment: string, point: number): void {
    const points = this.reached.get(attachment);
    if (points === undefined) this.reached.set(attachment, new Set([point]));
    else points.add(point);
  }
}

/** Helpers that a test can answer. Names of keyrings, maps and signature types are checked all the same. */
export class ProbedHelpers extends Helpers {
  constructor(
    private readonly probe: TestProbe,
    private readonly attachment: string,
    keyrings: ReadonlyMap<string, Keyring>,
    maps: MapView,
    moment: Moment,
    programs: ProgramSignatures,
    recordsReads: boolean,
  ) {
    super(keyrings, maps, moment, programs, recordsReads);
  }

  override verify_signature(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): number {
    const given = this.probe.answer("verify_signature", keyring, type);
    if (given === undefined) return super.verify_signature(data, signature, keyring, type);
    this.rejectUnknown(keyring, type);
    return this.verdictFound(`verify_signature ${keyring} ${type}`, given as number, BY_TEST);
  }

  override signer_of(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): unknown {
    const given = this.probe.answer("signer_of", keyring, type);
    if (given === undefined) return super.signer_of(data, signature, keyring, type);
    this.rejectUnknown(keyring, type);
    return given;
  }

  override verify_program(subject: object, keyring: string): number {
    const given = this.probe.answer("verify_program", keyring);
    if (given === undefined) return super.verify_program(subject, keyring);
    this.rejectUnknown(keyring);
    return this.verdictFound(`verify_program ${keyring}`, given as number, BY_TEST);
  }

  override statement_of(subject: object, keyring: string): number {
    const given = this.probe.answer("statement_of", keyring);
    if (given === undefined) return super.statement_of(subject, keyring);
    this.rejectUnknown(keyring);
    return given as number;
  }

  override signer_of_program(subject: object, keyring: string): unknown {
    const given = this.probe.answer("signer_of", keyring);
    if (given === undefined) return super.signer_of_program(subject, keyring);
    this.rejectUnknown(keyring);
    return given;
  }

  override map_update(map: string, key: string, value: unknown): number {
    const given = this.probe.answer("map_update", map, key);
    if (given === undefined) return super.map_update(map, key, value);
    this.rejectUnknownMap(map);
    return given as number;
  }

  override map_delete(map: string, key: string): number {
    const given = this.probe.answer("map_delete", map, key);
    if (given === undefined) return super.map_delete(map, key);
    this.rejectUnknownMap(map);
    return given as number;
  }

  pointReached(point: number): void {
    this.probe.reach(this.attachment, point);
  }
}

const BY_TEST = "answered by the test";
