import { must } from "../../sys/libc.js";
import { close, moveTo, openThread, processIdentity, type ThreadInfo, threadInfo } from "../../sys/pidfd.js";
import { eventFd } from "../../sys/poll.js";
import type { ThreadFiles } from "../../sys/thread-files.js";

/** The thread id of an empty cache. The kernel also reports it for tasks outside the gate's pid namespace. */
const NOBODY = 0;

/** Calls in a row after which the files of a thread are kept open: opening them pays off after three reads. */
const KEPT_AFTER = 4;

/**
 * Caches the pidfd of the thread that made the last call. Most loaders make all calls in one thread, and opening and
 * closing a pidfd takes as long as copying a load. The fd number stays the same as long as the decision thread lives.
 */
export class PidfdCache {
  readonly pidfd = must(eventFd(), "making an eventfd");
  /** Facts about the thread, read anew by each `find`; null before Linux 6.13, or if the thread has exited since. */
  info: ThreadInfo | null = null;
  /** Set only if the kernel can confirm that it still is the same thread. */
  #tid = NOBODY;
  /** The identity of its process, once it was asked for. */
  #process: string | null = null;
  /** Calls in a row that the thread has made, up to KEPT_AFTER. */
  #calls = 0;

  /** `kept`: for the files of threads with many calls; null for none. */
  constructor(private readonly kept: ThreadFiles | null = null) {}

  /** The fds that this object keeps open. */
  get fds(): readonly number[] {
    return [this.pidfd, ...(this.kept?.fds ?? [])];
  }

  /** The files of the thread in /proc; null if they are not kept open, since it has made few calls. */
  get files(): ThreadFiles | null {
    return this.#calls < KEPT_AFTER ? null : this.kept;
  }

  /** Points {@link pidfd} at a thread. Returns false if it has exited, or is outside the gate's pid namespace. */
  find(tid: number): boolean {
    if (tid !== NOBODY && tid === this.#tid && this.#look()) {
      this.#count(tid);
      return true;
    }
    this.#tid = NOBODY;
    this.#calls = 0;
    this.#process = null;
    this.info = null;
    const fd = openThread(tid, tid);
    if (fd < 0) return false;
    moveTo(this.pidfd, fd);
    close(fd);
    if (this.#look()) this.#tid = tid;
    return true;
  }

  /**
   * The identity of the process of the thread that was found last, which is still alive: see {@link processIdentity}.
   */
  readonly process = (tgid: number): string => {
    this.#process ??= processIdentity(tgid);
    return this.#process;
  };

  #count(tid: number): void {
    if (this.#calls === KEPT_AFTER) return;
    this.#calls += 1;
    if (this.#calls === KEPT_AFTER) this.kept?.belongTo(tid);
  }

  /** The kernel reports nothing for a thread that has exited, even if its id is reused. */
  #look(): boolean {
    this.info = threadInfo(this.pidfd);
    return this.info !== null;
  }
}
