import type { CallOfRecord, VerificationContent } from "../../log/input-records.js";
import type { MaskedValues } from "./masked-values.js";
import type { RecordedSubject } from "./recorded-subject.js";

/** The inputs of the decision that is being made again. */
export interface RecordedInputs {
  readonly subject: RecordedSubject;
  readonly hasAnnotations: boolean;
  readonly masked: MaskedValues;
  readonly contents: Contents | null;
  /** The time at which the decision judged certificates, as the record has it. */
  readonly time: string;
  /** The calls of an attachment. */
  readonly callsOf: (attachment: string) => readonly CallOfRecord[];
  readonly verification: (digest: string) => VerificationContent | null;
}

/** What a replay may use beside the log: bytes by their SHA-256, and with them the keyrings of a configuration. */
export interface Contents {
  /** Null if they are not known. */
  find(sha256: string): Uint8Array | null;
}
