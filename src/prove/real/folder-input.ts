import type { ProgramSubject } from "../../bpf/model/facts.js";
import type { Config } from "../../config/config.js";
import { factsOfSigner } from "../../engine/decision/helpers.js";
import { ProgramSignatures } from "../../engine/decision/program-signatures.js";
import { Keyrings } from "../../engine/load/keyrings.js";
import { StatementStore } from "../../engine/statements/statement-store.js";
import type { Current } from "../../policy/model/current.js";
import { hash } from "../../trust/base/digest.js";
import type { SignatureType } from "../../trust/formats/formats.js";
import type { Keyring } from "../../trust/keyring.js";
import type { Origin } from "../shared/atom.js";
import type { Input } from "../witness/input.js";

/** The contents of maps: values by key, by the map's name. */
export type MapContents = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Answers of helpers from the keyrings, statements and maps of a folder. */
export class FolderAnswers {
  readonly #keyrings: ReadonlyMap<string, Keyring>;
  readonly #programs: ProgramSignatures;
  /** In milliseconds since the epoch. */
  readonly #time = Date.now();

  /** Throws what reading keyrings and statements throws. */
  constructor(
    config: Config,
    private readonly maps: MapContents,
  ) {
    this.#keyrings = new Keyrings(config.keyrings).byName;
    this.#programs = new ProgramSignatures(StatementStore.ofConfiguration(config));
  }

  /** The input of a decision about a subject. `argument` is what a policy calls it. */
  input(subject: object, current: Current, argument: string): Input {
    return { subject, current, answer: (origin, key) => this.#answer(origin, key, subject, argument) };
  }

  #answer(origin: Origin, key: string | null, subject: object, argument: string): unknown {
    const bytes = (path: string) => bytesAt(subject, path, argument);
    switch (origin.kind) {
      case "lookup": {
        const entries = this.maps[origin.map] ?? {};
        return key !== null && Object.hasOwn(entries, key) ? entries[key] : undefined;
      }
      case "hash":
        return hash(origin.algorithm, bytes(origin.data) ?? new Uint8Array(0));
      case "verify_signature":
      case "signer_of": {
        const signature = origin.signature === null ? null : bytes(origin.signature);
        const data = bytes(origin.data) ?? new Uint8Array(0);
        const its = this.#keyring(origin.keyring).verify(data, signature, origin.type as SignatureType, this.#time);
        if (origin.kind === "verify_signature") return its.verdict;
        return its.signers[0] === undefined ? null : factsOfSigner(its.signers[0]);
      }
      case "verify_program":
      case "statement_of":
      case "signer_of_program":
        return this.#aboutProgram(origin.kind, subject as ProgramSubject, this.#keyring(origin.keyring));
      default:
        return undefined;
    }
  }

  #aboutProgram(kind: string, program: ProgramSubject, keyring: Keyring): unknown {
    const { verdict, statement, signers } = this.#programs.verify(program, keyring, this.#time);
    if (kind === "verify_program") return verdict;
    if (kind === "statement_of") return program.statements[statement] ?? null;
    return signers[0] === undefined ? null : factsOfSigner(signers[0]);
  }

  #keyring(name: string): Keyring {
    return this.#keyrings.get(name)!;
  }
}

/** Bytes of a subject by the path that policies name them with, such as `prog.object.data`. */
function bytesAt(subject: object, path: string, argument: string): Uint8Array | null {
  const keys = path.slice(argument.length + 1).split(".");
  const found = keys.reduce<unknown>((at, key) => (at as Record<string, unknown> | null)?.[key], subject);
  return found instanceof Uint8Array ? found : null;
}
