import { syscall } from "./libc.js";
import { NR } from "./numbers.js";

const EPOLL_CLOEXEC = 0o2000000;
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
const CTL = { add: 1, del: 2 } as const;
const EPOLLIN = 1;

/** EPOLLHUP of sys/epoll.h: the other end of the fd is closed. */
export const EPOLLHUP = 16;

/** An epoll(7) instance. struct epoll_event is packed on x86-64: events u32 0 · data u64 4. */
export class Poll {
  readonly fd: number;
  readonly #events: DataView;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.fd = syscall(NR.epoll_create1, EPOLL_CLOEXEC);
    this.#capacity = capacity;
    this.#events = new DataView(new ArrayBuffer(12 * capacity));
  }

  add(fd: number): number {
    return this.#control(CTL.add, fd);
  }

  remove(fd: number): number {
    return this.#control(CTL.del, fd);
  }

  /**
   * Waits at most `timeout` ms (-1: no limit) and calls `ready` for each ready fd. Returns a negative errno on failure.
   */
  wait(timeout: number, ready: (fd: number, events: number) => void): number {
    const count = syscall(NR.epoll_wait, this.fd, this.#events, this.#capacity, timeout);
    for (let index = 0; index < count; index += 1)
      ready(this.#events.getInt32(12 * index + 4, true), this.#events.getUint32(12 * index, true));
    return count;
  }

  close(): void {
    syscall(NR.close, this.fd);
  }

  #control(operation: number, fd: number): number {
    const event = new DataView(new ArrayBuffer(12));
    event.setUint32(0, EPOLLIN, true);
    event.setInt32(4, fd, true);
    return syscall(NR.epoll_ctl, this.fd, operation, fd, event);
  }
}

/** Creates an eventfd(2), by which a thread wakes another one that waits in {@link Poll}. */
export function eventFd(): number {
  return syscall(NR.eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK);
}

export function ring(eventfd: number): void {
  syscall(NR.write, eventfd, BigUint64Array.of(1n), 8);
}

export function quieten(eventfd: number): void {
  syscall(NR.read, eventfd, new BigUint64Array(1), 8);
}
