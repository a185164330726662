import type { Decision } from "../hooks/decision.js";
import type { LogRecord } from "./record.js";

/** Level `error` if a policy failed, `warn` for a denial (enforced or in audit), otherwise `info`. */
export function levelOf({ answers, denied_by, audit_denials }: Decision): LogRecord["level"] {
  for (const { fault } of answers) if (fault !== null) return "error";
  return denied_by !== null || audit_denials.length > 0 ? "warn" : "info";
}
