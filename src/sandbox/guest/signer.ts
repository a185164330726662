/** The signer of a valid signature, of which more facts are for the policy. */
export interface Signer {
  readonly subject: string | null;
  readonly key_id: string;
}

/** A signer in the answers that are recorded. */
export function signerName(signer: Signer | null): string {
  return signer === null ? "none" : (signer.subject ?? `key ${signer.key_id}`);
}
