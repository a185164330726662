import { type Logger, pino } from "pino";
import type { Answer, Decision, Origin } from "../hooks/decision.js";
import type { Container, Current } from "../policy/current.js";
import { RotatingFile, type RotatingFileOptions } from "./rotating.js";

/**
 * The decision log: one line of JSON for each decision. `write` returns after write(2), so the record exists before the
 * decision has any effect. Strings from the task are escaped and truncated: they cannot end a line or fill the disk.
 */
export class DecisionLog {
  private readonly file: RotatingFile;
  private readonly logger: Logger;

  /** Throws FILE_UNREADABLE. */
  constructor(
    options: RotatingFileOptions,
    private readonly origin: Origin = "library",
  ) {
    this.file = new RotatingFile(options);
    this.logger = pino(
      { base: null, timestamp: false, level: "info", formatters: { level: (label) => ({ level: label }) } },
      { write: (line: string) => this.file.write(line) },
    );
  }

  /**
   * Number of incomplete lines that this process terminated before it appended the next line. A line stays incomplete
   * if the disk was full or its writer was killed.
   */
  get torn(): number {
    return this.file.torn;
  }

  /** Throws FILE_UNREADABLE when the line cannot be written. */
  write(decision: Decision): void {
    this.logger[levelOf(decision)](recordOf(decision, this.origin));
  }

  /** Records a change of a keyring's files: level `info` for a new generation, `warn` if the files are rejected. */
  keyring({ keyring, generation, error }: KeyringEvent): void {
    const level = error === null ? "info" : "warn";
    this.logger[level]({
      time: new Date().toISOString(),
      origin: this.origin,
      event: "keyring",
      keyring,
      generation,
      error: error?.toString(),
    });
  }

  close(): void {
    this.file.close();
  }
}

/** A change of a keyring between decisions. */
export interface KeyringEvent {
  readonly keyring: string;
  /** The generation in use after the event. */
  readonly generation: number;
  readonly error: Error | null;
}

/** Level `error` if a policy failed, `warn` for a denial (enforced or in audit), otherwise `info`. */
function levelOf({ answers, denied_by, audit_denials }: Decision): "error" | "warn" | "info" {
  if (answers.some((answer) => answer.fault !== null)) return "error";
  return denied_by !== null || audit_denials.length > 0 ? "warn" : "info";
}

/**
 * `time` is when the decision was made. `judged_time` is the time at which signatures were judged. Records of `check`
 * always have it, because `check` can judge at any time; other records have it only if it differs from `time`.
 */
function recordOf({ time, judged_time, subject, current, answers, ...rest }: Decision, origin: Origin): object {
  const judged = origin === "check" || judged_time !== time;
  return {
    time: new Date(time).toISOString(),
    ...(judged ? { judged_time: new Date(judged_time).toISOString() } : {}),
    origin,
    ...rest,
    subject: { ...subject, name: clipped(subject.name), path: subject.path === null ? null : clipped(subject.path) },
    current: whoAsks(current),
    answers: answers.map(recordOfAnswer),
  };
}

function recordOfAnswer({ denial, ...answer }: Answer): object {
  return { ...answer, code: denial?.code ?? null, reason: denial?.reason ?? null };
}

function whoAsks({ pid, tid, uid, euid, gid, comm, exe, cgroup, container }: Current): object {
  return {
    pid,
    tid,
    uid,
    euid,
    gid,
    comm: clipped(comm),
    exe: exe === null ? null : clipped(exe),
    cgroup: cgroup === null ? null : clipped(cgroup),
    container: container === null ? null : recordOfContainer(container),
  };
}

function recordOfContainer({ id, name, labels }: Container): object {
  return { id: clipped(id), name: name === null ? null : clipped(name), labels: labels === null ? null : some(labels) };
}

/** Limits of one record: characters of each string, and number of container labels. */
const MAX_TEXT = 4096;
const MAX_LABELS = 64;

function clipped(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}… (${text.length} characters)`;
}

function some(labels: Readonly<Record<string, string>>): object {
  const all = Object.entries(labels);
  const kept = all.slice(0, MAX_LABELS).map(([key, value]) => [clipped(key), clipped(value)]);
  return Object.fromEntries(all.length > kept.length ? [...kept, ["…", `${all.length} labels`]] : kept);
}
