import { type Logger, pino } from "pino";
import type { Answer, Decision, Origin } from "../hooks/decision.js";
import type { Container, Current } from "../policy/current.js";
import { RotatingFile, type RotatingFileOptions } from "./rotating.js";

/**
 * The decision log: one line of JSON a decision, on the disk's way when `write` returns, so that it stands before the
 * decision has any effect. Strings of whoever asks are escaped and clipped: they can neither end a line nor fill a
 * disk.
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
   * Lines that had no end, and were ended before the next one was written: the file was full, or its writer was killed.
   */
  get torn(): number {
    return this.file.torn;
  }

  /** Throws FILE_UNREADABLE when the line cannot be written. */
  write(decision: Decision): void {
    this.logger[levelOf(decision)](recordOf(decision, this.origin));
  }

  /**
   * A keyring that follows its files: `info` for a new generation, `warn` where what is in the files does not count.
   */
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

/** What happened to a keyring between decisions. */
export interface KeyringEvent {
  readonly keyring: string;
  /** The one that counts. */
  readonly generation: number;
  readonly error: Error | null;
}

/** A fault is an `error`; a denial, enforced or in audit, a `warn`; anything else `info`. */
function levelOf({ answers, denied_by, audit_denials }: Decision): "error" | "warn" | "info" {
  if (answers.some((answer) => answer.fault !== null)) return "error";
  return denied_by !== null || audit_denials.length > 0 ? "warn" : "info";
}

/**
 * `time` is when the decision was made, in every record. `judged_time` is added in each record of a check, which can
 * judge signatures at any time, and in other records if it differs from `time`.
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

/** Characters of a string, and labels of a container, that a line holds. */
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
