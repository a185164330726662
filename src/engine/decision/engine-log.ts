import type { Config } from "../../config/config.js";
import { ERRNO } from "../../errno.js";
import { CountersignError } from "../../error.js";
import type { Decision, Denial, Verdicts } from "../../hooks/decision.js";
import type { DecidedBy } from "../../log/input-records.js";
import type { DecisionLog } from "../../log/log.js";
import type { ShadowDifference } from "../../log/shadow-record.js";
import type { Container } from "../../policy/model/current.js";
import type { Mode } from "../../policy/model/mode.js";
import type { KeyringChange } from "../../trust/live-keyring.js";

/**
 * An engine's decision log. If a record cannot be written, an enforced decision becomes a denial; a decision in audit,
 * or with `log.on_error: continue`, is unchanged, and the failure is counted.
 */
export class EngineLog {
  /** Number of decisions that could not be logged, and were not denied for it. */
  failures = 0;
  /** The error of the last of them. */
  failure: CountersignError | null = null;
  /** Number of times that changed keyring files could not be used. */
  keyringFailures = 0;

  private constructor(
    private readonly log: DecisionLog | null,
    private readonly mode: Mode,
    private readonly onError: "deny" | "continue" = "deny",
  ) {}

  /** Throws FILE_UNREADABLE. */
  static async open(
    { log, origin, mode }: Pick<Config, "log" | "origin" | "mode">,
    configuration: () => DecidedBy,
  ): Promise<EngineLog> {
    if (log === null) return new EngineLog(null, mode);
    const { DecisionLog } = await import("../../log/log.js");
    return new EngineLog(new DecisionLog(log, origin, configuration), mode, log.onError);
  }

  /** Number of incomplete lines in the log that were ended: see {@link DecisionLog.torn}. */
  get torn(): number {
    return this.log?.torn ?? 0;
  }

  /**
   * Logs a decision and returns the one to apply: a denial if an enforced decision cannot be logged, unless
   * `log.on_error` is `continue`. `subject` is null if no policy was asked.
   */
  write(decision: Decision, subject: object | null = null): Decision {
    if (this.log === null) return decision;
    try {
      this.log.write(decision, subject);
      return decision;
    } catch (error) {
      if (this.mode === "audit" || this.onError === "continue") {
        this.failures += 1;
        this.failure = error instanceof CountersignError ? error : null;
        return decision;
      }
      return { ...decision, ...verdictsOf(unlogged(error), this.mode) };
    }
  }

  /** Logs a change of a keyring. Must be called before any decision that depends on it. Never throws. */
  keyring(change: KeyringChange): void {
    if (change.error !== null) {
      this.keyringFailures += 1;
      process.emitWarning(change.error.toString(), "KeyringWarning");
    }
    try {
      this.log?.keyring(change);
    } catch {
      // If the log still fails, the next decision cannot be logged either and is denied
    }
  }

  /** Logs that loads of a container wait: see {@link DecisionLog.throttle}. Never throws. */
  throttle(container: Container | null, releases: number): void {
    try {
      this.log?.throttle(container, releases);
    } catch {
      // If the log still fails, the decision on the load cannot be logged either and is denied
    }
  }

  /** Logs what a shadow would decide otherwise. Returns false if it could not be written; never throws. */
  shadow(difference: ShadowDifference): boolean {
    try {
      this.log?.shadow(difference);
      return true;
    } catch {
      return false;
    }
  }

  /** Whether {@link idleStep} has something to do. */
  get hasIdleWork(): boolean {
    return this.log?.hasIdleWork === true;
  }

  /** Does a part of what decisions would otherwise wait for. Returns whether there is more of it. */
  idleStep(): boolean {
    return this.log?.idleStep() === true;
  }

  /** A keyring has changed in a way that is not logged. */
  reconfigure(): void {
    this.log?.reconfigure();
  }

  close(): void {
    this.log?.close();
  }
}

/** The verdicts of a decision that asks no attachments. */
export function verdictsOf(denial: Denial | null, mode: Mode): Verdicts {
  const enforced = denial?.verdict ?? 0;
  return {
    mode,
    verdict: mode === "enforce" ? enforced : 0,
    enforced_verdict: enforced,
    denied_by: denial,
    audit_denials: [],
  };
}

function unlogged(error: unknown): Denial {
  const reason = error instanceof CountersignError ? error.toString() : "the decision could not be logged";
  return { attachment: null, verdict: -ERRNO.EPERM, code: "INTERNAL_FAULT", reason };
}
