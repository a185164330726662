import type { CallOfRecord, VerificationContent } from "../../log/input-records.js";
import type { TracedCall } from "./explanation.js";
import { shortened } from "./fact-values.js";

type CallName = CallOfRecord["call"];
type Row<Name extends CallName> = (
  call: Extract<CallOfRecord, { readonly call: Name }>,
) => readonly [given: readonly unknown[], result?: unknown];

/** The arguments of a recorded call, as they were written in the policy, and its result. */
const ROWS: { readonly [Name in CallName]: Row<Name> } = {
  map_lookup: ({ map, key, value }) => [[quoted(map), quoted(key)], value],
  map_update: ({ map, key, value, result }) => [[quoted(map), quoted(key), quoted(value)], result],
  map_delete: ({ map, key, result }) => [[quoted(map), quoted(key)], result],
  hash: ({ algorithm, data, result }) => [[quoted(algorithm), data], result],
  read: ({ data, offset, length, bytes }) => [[data, offset, length], bytes],
  verify_signature: ({ data, signature, keyring, signature_type }) => [
    [data, signature, quoted(keyring), signature_type],
  ],
  signer_of: ({ data, signature, keyring, signature_type }) => [[data, signature, quoted(keyring), signature_type]],
  verify_program: ({ keyring }) => [[quoted(keyring)]],
  statement_of: ({ keyring }) => [[quoted(keyring)]],
  signer_of_program: ({ keyring }) => [[quoted(keyring)]],
};

/** The recorded calls of one attachment, for a decision that cannot be executed again. They can have any content. */
export function recordedCalls(
  calls: unknown,
  verification: (digest: string) => VerificationContent | null,
): readonly TracedCall[] {
  if (!Array.isArray(calls)) return [];
  return calls.flatMap((call: CallOfRecord | null) => {
    if (typeof call !== "object" || call === null || !Object.hasOwn(ROWS, call.call)) return [];
    const [given, result] = ROWS[call.call](call as never);
    const judged = "verification" in call ? verification(call.verification) : null;
    const shown =
      judged === null ? result : call.call.startsWith("verify_") ? judged.verdict : (judged.signers[0] ?? null);
    return [
      {
        event: "call" as const,
        call: call.call === "signer_of_program" ? "signer_of" : call.call,
        arguments: given.map(String),
        result: shortened(shown),
        because: judged?.reason ?? null,
        rule: judged?.rule ?? null,
        signers: judged?.signers ?? [],
        paths: judged?.paths ?? [],
      },
    ];
  });
}

function quoted(value: unknown): string {
  return JSON.stringify(value) ?? "undefined";
}
