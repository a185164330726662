import type { HookName } from "../../hooks/catalogue.js";
import { GATE_RULES, type GateRule } from "./rules.js";

/**
 * Ends a call that the gate does not carry out. Any step of a call throws it, and only `worker/serve-call.ts` catches
 * it: the task gets the errno or, in audit, the kernel executes the call. With a denial, the rule that denied the call
 * is recorded as well. Without one, the kernel would return the same errno, or a policy's denial is in the log already.
 *
 * It is no Error, because a failed call is an ordinary reply, and a stack trace takes 10 µs.
 */
export class CallFailure {
  constructor(
    /** The errno of the reply, as a positive number. */
    readonly errno: number,
    readonly denial: RuleDenial | null = null,
  ) {}
}

/** Ends a call whose caller has exited, so that nobody waits for a reply. */
export class CallerExited {}

/** A denial by a rule of the gate, which no policy can override. */
export interface RuleDenial {
  readonly rule: GateRule;
  /** One line for the log. */
  readonly reason: string;
  /** The hook and the subject of the record, if they are not those of the call: see {@link Call.isAbout}. */
  readonly about?: DeniedObject;
  /**
   * Set for a denial that tasks may cause many times. For each container or command, the first denial with this rule
   * and key is a decision in the log. Later ones are only counted.
   */
  readonly repeatKey?: string;
}

/** The hook and the subject that a denial by the gate has in the log. */
export interface DeniedObject {
  readonly hook: HookName;
  readonly subject: DeniedSubject;
}

/** The object that a denial by the gate names in the log. */
export interface DeniedSubject {
  readonly name: string;
  /** SHA-256, if known. */
  readonly digest?: string;
  /** The kernel's id of an object. */
  readonly id?: number;
}

/** Fails the call with an errno that the kernel would return as well, so it is no denial. `errno` is positive. */
export function failWith(errno: number): never {
  throw new CallFailure(errno);
}

/** Denies the call by a rule of the gate. */
export function deny(rule: GateRule, reason: string, more: Omit<RuleDenial, "rule" | "reason"> = {}): never {
  throw new CallFailure(GATE_RULES[rule].errno, { rule, reason, ...more });
}

/** Denies the call because it has more of something than the gate copies. */
export function denyTooLarge(what: string, most: number): never {
  deny("too_large", `${what} is more than the gate copies, ${most}`);
}

/** Returns the result of a system call, or fails the call with its errno. */
export function checked(result: number): number {
  return result < 0 ? failWith(-result) : result;
}

/** Returns what the kernel reports about an object, or fails the call with the errno in its place (negative). */
export function reported<T extends object>(info: T | number): T {
  return typeof info === "number" ? failWith(-info) : info;
}
