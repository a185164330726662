import { must } from "../sys/libc.js";
import { close, moveTo, openThread, type ThreadInfo, threadInfo } from "../sys/pidfd.js";
import { eventFd } from "../sys/poll.js";

/** The id of a task that cannot be seen from the gate's pid namespace; nobody's, where nothing is kept. */
const NOBODY = 0;

/**
 * The thread that made the last call. Most loaders make all of theirs in one, and opening a pidfd and closing it takes as long as
 * copying all that a load is of: so it stays open, under a number that is the decision thread's for as long as that lives.
 */
export class LastThread {
  readonly pidfd = must(eventFd(), "making an eventfd");
  /** Who it is, read anew whenever it is found; null where the kernel cannot say (before Linux 6.13), or it has gone since. */
  info: ThreadInfo | null = null;
  /** Known only where the kernel says that it is the same thread still. */
  #tid = NOBODY;

  /** Whether {@link pidfd} is now for a thread that waits at the gate; false where it is gone, or cannot be seen from here. */
  find(tid: number): boolean {
    if (tid !== NOBODY && tid === this.#tid && this.#look()) return true;
    this.#tid = NOBODY;
    this.info = null;
    const fd = openThread(tid, tid);
    if (fd < 0) return false;
    moveTo(this.pidfd, fd);
    close(fd);
    if (this.#look()) this.#tid = tid;
    return true;
  }

  /** Of a thread that has ended nothing is told any more, whoever has its id by then. */
  #look(): boolean {
    this.info = threadInfo(this.pidfd);
    return this.info !== null;
  }
}
