import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { ERRNO } from "../../../errno.js";
import { EPOLLHUP, EPOLLIN, Poll, quieten } from "../../../sys/poll.js";
import { blockSignals } from "../../../sys/process.js";
import { receive, send } from "../../../sys/seccomp.js";
import { NotificationCursor } from "../../call/notification-cursor.js";
import { Notification, notificationBuffer, writeResponse } from "../../task/blocking/notification.js";
import type { DenialThreadData, FromDenialThread, ToDenialThread } from "./denial-messages.js";

/** Maximum number of listeners that are served before messages are read. */
const READY_AT_ONCE = 64;

/**
 * The thread that answers EPERM to each call under a rejected listener. It has no configuration and no engine, and
 * reads nothing of the tasks, so that neither a policy nor a task can make it wait. It waits for the listeners and for
 * an eventfd that signals messages.
 */
class DenialThread {
  readonly #listeners = new Map<number, NotificationCursor>();
  readonly #poll = new Poll(READY_AT_ONCE);
  readonly #notification = new Notification(notificationBuffer());
  #running = true;

  constructor(private readonly data: DenialThreadData & { readonly port: MessagePort }) {
    this.#poll.add(data.bell);
  }

  run(): void {
    blockSignals();
    this.#say({ is: "opened", fds: [this.#poll.fd] });
    this.#say({ is: "ready" });
    while (this.#running)
      this.#poll.wait(-1, (fd, events) => {
        if (fd === this.data.bell) this.#listen();
        else this.#serve(fd, events);
      });
  }

  #serve(fd: number, events: number): void {
    const cursor = this.#listeners.get(fd);
    if (cursor === undefined) return;
    // without a call that waits, receiving would block
    if ((events & EPOLLIN) !== 0) this.#deny(fd, cursor);
    else if ((events & EPOLLHUP) !== 0) {
      // no task has this filter any more
      this.#poll.remove(fd);
      this.#listeners.delete(fd);
      this.#say({ is: "hangup", fd });
    }
  }

  #deny(fd: number, cursor: NotificationCursor): void {
    const { bytes } = this.#notification;
    if (receive(fd, bytes) < 0) return; // the task has ended
    cursor.received(bytes);
    if (send(fd, writeResponse(this.#notification.id, { result: -ERRNO.EPERM })) === 0)
      Atomics.add(this.data.denied, 0, 1n);
  }

  #listen(): void {
    quieten(this.data.bell);
    for (;;) {
      const received = receiveMessageOnPort(this.data.port) as { message: ToDenialThread } | undefined;
      if (received === undefined) return;
      const { message } = received;
      if (message.do === "stop") this.#running = false;
      else {
        this.#listeners.set(message.fd, new NotificationCursor(message.cursor));
        this.#poll.add(message.fd);
      }
    }
  }

  #say(message: FromDenialThread): void {
    this.data.port.postMessage(message);
  }
}

new DenialThread(workerData as DenialThreadData & { readonly port: MessagePort }).run();
