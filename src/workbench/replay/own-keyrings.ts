import type { ProgramSubject } from "../../bpf/model/facts.js";
import type { Config } from "../../config/config.js";
import { factsOfSigners } from "../../engine/decision/helpers.js";
import { ProgramSignatures } from "../../engine/decision/program-signatures.js";
import type { Keyrings } from "../../engine/load/keyrings.js";
import { StatementStore } from "../../engine/statements/statement-store.js";
import type { VerificationContent } from "../../log/input-records.js";
import type { SignatureType } from "../../trust/formats/formats.js";

/** What a verification is about; see {@link VerificationContent}. */
type About = Pick<VerificationContent, "data" | "signature" | "signature_type">;

/** The keyrings of a configuration with its files, for what the log does not say of them. */
export class OwnKeyrings {
  readonly #statements: StatementStore;
  readonly #programs: ProgramSignatures;

  /** Throws what opening the folders of signatures throws. */
  constructor(
    private readonly keyrings: Keyrings,
    config: Pick<Config, "signatures" | "pathPlaces">,
  ) {
    this.#statements = StatementStore.ofConfiguration(config);
    this.#programs = new ProgramSignatures(this.#statements);
  }

  /** The keyring must be there. `at`: milliseconds since the epoch. */
  verify(
    data: Uint8Array,
    signature: Uint8Array | null,
    keyring: string,
    about: About,
    at: number,
  ): VerificationContent {
    const its = this.keyrings.byName.get(keyring)!;
    const { generation } = its;
    const type = about.signature_type as SignatureType;
    const verification = its.verify(data, signature, type, at);
    const { verdict, reason, rule } = verification;
    return {
      keyring,
      generation,
      ...about,
      verdict,
      reason,
      rule,
      statement: null,
      ...factsOfSigners(verification),
    };
  }

  /** Null if the folders of signatures lack a statement that the program was recorded with. */
  verifyProgram(program: ProgramSubject, keyring: string, at: number): VerificationContent | null {
    if (program.statements.some(({ sha256 }) => this.#statements.ofSha256(sha256) === null)) return null;
    const its = this.keyrings.byName.get(keyring)!;
    const verification = this.#programs.verify(program, its, at);
    const { verdict, reason, rule, statement } = verification;
    const about = { data: null, signature: null, signature_type: null };
    const { generation } = its;
    return { keyring, generation, ...about, verdict, reason, rule, statement, ...factsOfSigners(verification) };
  }
}
