/**
 * What came of asking one policy. A fault is a policy that could not answer; its code has a page in docs/errors/.
 */
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

export interface Fault {
  readonly code: FaultCode;
  readonly message: string;
  /** `policies/tc.js:4:11` in the policy's own file, where it can be told. */
  readonly place: string | null;
}

export interface Outcome {
  /** What the policy answered; null with a fault. */
  readonly verdict: number | null;
  readonly fault: Fault | null;
  /** From `deny(reason)` when the verdict is a refusal. */
  readonly reason: string | null;
  /** Reasons given to `deny` that did not lead to the verdict, in the order of the calls; all of them with a fault. */
  readonly unusedReasons: readonly string[];
  readonly notes: readonly string[];
  /**
   * What each helper answered, such as `verify_signature platform PKCS7: -ENODATA`; read out for a refusal or a note.
   */
  readonly answers: readonly string[];
  /** With a fault: it cost the policy's runtime or module, so that others have to wait if it happens again. */
  readonly harmful?: true;
  /** With a refusal: why the effects that the policy looks at are true. */
  readonly evidence?: readonly string[];
  /** Steps used; see sandbox/weights.ts. */
  readonly steps: number;
}
