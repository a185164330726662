import { close, moveTo, openThread, type ThreadInfo, threadInfo } from "../sys/pidfd.js";
import { eventFd } from "../sys/poll.js";

/**
 * The thread that made the last call. Most loaders make all of theirs in one, and opening a pidfd and closing it takes as long as
 * copying all that a load is of: so it stays open, under a number that is the decision thread's for as long as that lives.
 */
export class LastThread {
  readonly pidfd = eventFd();
  /** 0 where nothing is kept: the kernel cannot say whether it is the same thread still. */
  #tid = 0;

  /** Whether {@link pidfd} is now for a thread that waits at the gate; false where it is gone, or cannot be seen from here. */
  find(tid: number): boolean {
    if (tid === this.#tid && this.#look()) return true;
    this.#tid = 0;
    this.info = null;
    const fd = openThread(tid, tid);
    if (fd < 0) return false;
    moveTo(this.pidfd, fd);
    close(fd);
    if (this.#look()) this.#tid = tid;
    return true;
  }

  /** Who it was when it was found; null where the kernel is older than PIDFD_GET_INFO, or it has gone. */
  info: ThreadInfo | null = null;

  /** A thread that has ended is told of no more, whoever has its id by then. */
  #look(): boolean {
    this.info = threadInfo(this.pidfd);
    return this.info !== null;
  }
}
