import type { HelperCall } from "./helper-call.js";

/** Codes of faults, each with a page in docs/errors/. A fault means that a policy could not answer. */
export const FAULT_CODES = [
  "POLICY_ERROR",
  "UNKNOWN_FACT",
  "UNUSED_DENIAL",
  "OUT_OF_STEPS",
  "OUT_OF_TIME",
  "OUT_OF_MEMORY",
  "OUT_OF_STACK",
  "BAD_RETURN_VALUE",
  "SUSPENDED",
  "INTERNAL_FAULT",
] as const;

export type FaultCode = (typeof FAULT_CODES)[number];

/** The faults of a policy that reaches a limit of its attachment. */
export const LIMIT_FAULTS: ReadonlySet<FaultCode> = new Set([
  "OUT_OF_STEPS",
  "OUT_OF_TIME",
  "OUT_OF_MEMORY",
  "OUT_OF_STACK",
]);

export interface Fault {
  readonly code: FaultCode;
  readonly message: string;
  /** `policies/tc.js:4:11` in the policy's own file; null if it is not known. */
  readonly place: string | null;
}

export interface Outcome {
  /** The policy's verdict; null after a fault. */
  readonly verdict: number | null;
  readonly fault: Fault | null;
  /** The text given to `deny(reason)`, if the verdict is a denial. */
  readonly reason: string | null;
  /** Reasons given to `deny` that did not lead to the verdict, in the order of the calls; all of them after a fault. */
  readonly unusedReasons: readonly string[];
  readonly notes: readonly string[];
  /**
   * One line for each call of a helper with its result, such as `verify_signature platform PKCS7: -ENODATA`. Read only
   * for a denial or a note.
   */
  readonly answers: readonly string[];
  /** Set for a fault that cost the policy's runtime or module: repeated, it would delay other policies. */
  readonly harmful?: true | undefined;
  /** For a denial: why the effects that the policy reads are true. */
  readonly evidence?: readonly string[] | undefined;
  /** What the verdict can depend on; absent unless the engine records it. */
  readonly dependencies?: readonly Dependency[] | undefined;
  /** The calls that the host answered; absent unless the engine records them. */
  readonly calls?: readonly HelperCall[] | undefined;
  /** Whether the policy has read the annotations of the container; absent unless the engine records calls. */
  readonly readsAnnotations?: boolean | undefined;
  /** Number of steps used; see sandbox/subjects/weights.ts. */
  readonly steps: number;
}

/**
 * Something that a policy asked for in one decision. Policies are deterministic, so that a verdict depends on nothing
 * else than the dependencies.
 *
 * - `subject`, `current`: a fact, such as `effects.read_only`;
 * - `map`, `map write`: an element of a map was read or changed;
 * - `keyring`: a signature was judged by it;
 * - `signature type`: one of this type was to be verified;
 * - `signer`: by this keyring, who signed was asked;
 * - `bytes`: a `hash` or the `length` of them was asked, or some were `read`; which bytes, is among the facts;
 * - `unsigned`: by this keyring, no statement counts for the program;
 * - `statement`: the SHA-256 of the statement by which a program was verified.
 */
export interface Dependency {
  readonly on:
    | "subject"
    | "current"
    | "map"
    | "map write"
    | "keyring"
    | "signature type"
    | "signer"
    | "bytes"
    | "unsigned"
    | "statement";
  readonly name: string;
}
