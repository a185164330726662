import type { Answer, Decision, Origin } from "../hooks/decision.js";
import type { Container, Current } from "../policy/model/current.js";

/**
 * Version of the format that docs/log.md and schema/record.schema.json describe. It is raised when a field is removed,
 * renamed or gets another meaning, not when fields or types of records are added.
 */
export const RECORD_VERSION = 2;

/** One line of the decision log. */
export type LogRecord = DecisionRecord | KeyringRecord | ThrottleRecord;

export interface RecordHead<Type extends string> {
  /** `error` if a policy failed; `warn` for a denial, enforced or in audit, and for rejected keyring files. */
  readonly level: "info" | "warn" | "error";
  readonly type: Type;
  readonly version: typeof RECORD_VERSION;
  /** When the record was made; see {@link timestamp}. */
  readonly time: string;
  readonly origin: Origin;
}

/** A decision. Fields that are not declared here are those of {@link Decision}. */
export interface DecisionRecord
  extends RecordHead<"decision">,
    Omit<Decision, "time" | "judged_time" | "current" | "answers" | "grants" | "loader_probe"> {
  /** The time at which signatures were judged. Always there in records of `check`, otherwise if it is not `time`. */
  readonly judged_time?: string | undefined;
  readonly loader_probe?: Decision["loader_probe"] | undefined;
  readonly current: CallerOfRecord;
  readonly answers: readonly AnswerOfRecord[];
  readonly grants?: Decision["grants"] | undefined;
  /** JSON pointers to values that `log.mask` left out; absent if there is none. */
  readonly masked?: readonly string[] | undefined;
}

export interface CallerOfRecord extends Omit<Current, "capabilities" | "namespaces" | "container"> {
  readonly container: Omit<Container, "annotations"> | null;
}

/** The code and reason of an answer's denial are fields of the answer; null if it is no denial. */
export interface AnswerOfRecord extends Omit<Answer, "denial" | "dependencies" | "calls" | "reads_annotations"> {
  readonly code: string | null;
  readonly reason: string | null;
}

/** A change of a keyring's files between decisions. */
export interface KeyringRecord extends RecordHead<"keyring"> {
  readonly keyring: string;
  /** The generation in use after the change. */
  readonly generation: number;
  /** Why the files were rejected; null if they are in use. */
  readonly error: string | null;
}

/** Loads of a container, or of the command of `run`, wait. Written once for each. */
export interface ThrottleRecord extends RecordHead<"throttle"> {
  /** Null for the command of `run`. */
  readonly container: CallerOfRecord["container"];
  /** `gate.program_releases` of the configuration. */
  readonly program_releases: number;
}

/** The one format of times in the log and in JSON output: RFC 3339, in UTC, with milliseconds. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
