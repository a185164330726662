import { monotonic } from "../../monotonic.js";
import type { Container } from "../../policy/model/current.js";
import { answerWithFd, receive, send, stillWaits } from "../../sys/seccomp.js";
import { writeResponse } from "../task/blocking/notification.js";
import { type Answer, issuesFd } from "./answer.js";
import type { FilterKind } from "./filter.js";
import type { IssuedObjects } from "./issued-objects.js";
import { NotificationCursor } from "./notification-cursor.js";

/**
 * If a listener's tasks make the gate wait for more than PATIENCE milliseconds within WITHIN milliseconds, the listener
 * is slow.
 */
const PATIENCE = 50;
const WITHIN = 10_000;

/**
 * The listener fd of one seccomp filter. It receives the calls of every task under that filter (seccomp_unotify(2)).
 */
export class Listener {
  /**
   * Until this time, in milliseconds of monotonic(), blocking workers serve the listener, because its tasks made the
   * gate wait.
   */
  slowUntil = 0;
  #waited = 0;
  #since = 0;

  constructor(
    readonly fd: number,
    /** A frozen object, replaced when the container's labels change. */
    public container: Container | null,
    readonly objects: IssuedObjects,
    readonly cursor = new NotificationCursor(NO_FILE),
    readonly filter: FilterKind = "full",
  ) {}

  /** Whether this is the listener of warm-up calls: it has no fd, no task waits, and replies are dropped. */
  get isWarmUp(): boolean {
    return this.fd < 0;
  }

  /** Receives a notification into `buffer`. Returns false if there is none. */
  receive(buffer: Uint8Array): boolean {
    if (receive(this.fd, buffer) < 0) return false;
    this.cursor.received(buffer);
    return true;
  }

  /** Whether the task of a notification (struct seccomp_notif) still waits for its reply. */
  isPending(notification: Uint8Array): boolean {
    return stillWaits(this.fd, notification);
  }

  /** Replies to the notification with this id, unless its task has exited. */
  reply(id: bigint, answer: Answer): void {
    if (answer === "gone") return;
    if (!issuesFd(answer)) {
      send(this.fd, writeResponse(id, answer));
      return;
    }
    const given = answerWithFd(this.fd, id, answer.fd);
    // errors such as EMFILE come from the task's own limits; without the gate the kernel would return the same
    if (given < 0) send(this.fd, writeResponse(id, { result: given }));
    else if (answer.issued !== null) this.objects.issue(answer.issued);
  }

  /** Key of the container, which all its listeners share; empty for the command. */
  get containerKey(): string {
    return containerKeyOf(this.container);
  }

  /** Records that a task of this listener made the gate wait. Returns true if its tasks have exceeded PATIENCE. */
  waited(milliseconds: number): boolean {
    const now = monotonic();
    if (now - this.#since > WITHIN) {
      this.#since = now;
      this.#waited = 0;
    }
    this.#waited += milliseconds;
    return this.#waited > PATIENCE;
  }
}

const NO_FILE = -1;

export function containerKeyOf(container: Container | null): string {
  return container?.id ?? "";
}
