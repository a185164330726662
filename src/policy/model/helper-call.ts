/**
 * A call of a helper that the host answered, with its arguments and its result. Bytes are those of the subject's facts,
 * the same objects; JSON values are JSON text.
 */
export type HelperCall =
  | {
      readonly call: "map_lookup";
      readonly map: string;
      readonly key: string;
      /** Null if the map does not have the key. */
      readonly value: string | null;
    }
  | {
      readonly call: "map_update";
      readonly map: string;
      readonly key: string;
      readonly value: string;
      readonly result: number;
    }
  | { readonly call: "map_delete"; readonly map: string; readonly key: string; readonly result: number }
  | { readonly call: "hash"; readonly algorithm: string; readonly data: Uint8Array; readonly result: string }
  | {
      readonly call: "read";
      readonly data: Uint8Array;
      readonly offset: number;
      readonly length: number;
      /** Null if they were too many to be recorded. */
      readonly bytes: Uint8Array | null;
    }
  | {
      readonly call: "verify_signature" | "signer_of";
      readonly data: Uint8Array;
      readonly signature: Uint8Array | null;
      readonly keyring: string;
      readonly type: string;
      readonly judgement: Judgement;
    }
  | {
      readonly call: "verify_program" | "statement_of" | "signer_of_program";
      readonly keyring: string;
      readonly judgement: Judgement;
    };

/** The result of verifying a signature, or the statements that a program matches, with one version of a keyring. */
export interface Judgement {
  readonly generation: number;
  /** 0 or a negative errno. */
  readonly verdict: number;
  readonly reason: string;
  /** The rule that failed; null if none did, or none is known. */
  readonly rule: string | null;
  /** The index of the program's statement that counts; -1 if none does, null for a signature. */
  readonly statement: number | null;
  readonly signers: readonly SignerFacts[];
  /** The certificate path of each signer that has one, anchor first, or the path of a rejected signature. */
  readonly paths: readonly (readonly CertificateFacts[])[];
}

/** A certificate of a path. Long names are cut off. */
export type CertificateFacts = Omit<SignerFacts, "key_id">;

/** A signer as policies see it. */
export interface SignerFacts {
  readonly subject: string | null;
  readonly key_id: string;
  readonly serial: string | null;
  readonly issuer: string | null;
}
