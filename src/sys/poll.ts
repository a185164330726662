import { Fixed, syscall } from "./libc.js";
import { NR } from "./numbers.js";

const EPOLL_CLOEXEC = 0o2000000;
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
const CTL = { add: 1, del: 2 } as const;

const NONE = -1;
/** POLLNVAL of poll.h: the fd is closed. An epoll instance forgets such an fd by itself. */
const POLLNVAL = 32;

/** EPOLLIN and EPOLLHUP of sys/epoll.h: the fd can be read; its other end is closed. */
export const EPOLLIN = 1;
export const EPOLLHUP = 16;

/**
 * Waits for many fds by epoll(7), and for one of them by poll(2): the last that was ready twice in a row. struct
 * epoll_event is packed on x86-64: events u32 0 · data u64 4. struct pollfd: fd i32 0 · events i16 4 · revents i16 6.
 *
 * A seccomp listener can have its waiter woken on the processor of the task (see wakeOnSameCpu), but only one that
 * waits in poll(2) for the listener itself: epoll(7) does not pass that on (ep_poll_callback of fs/eventpoll.c). A
 * thread that is woken on another processor answers 30 µs later on a virtual machine.
 */
export class Poll {
  readonly fd: number;
  readonly #events: DataView;
  readonly #capacity: number;
  /** Two of struct pollfd: the epoll instance, and {@link #direct}. */
  readonly #both = new Fixed(new Int32Array(4));
  /** The fd that poll(2) waits for itself; it is not in the epoll instance. */
  #direct = NONE;
  /** The fds that it may wait for directly. */
  readonly #busy = new Set<number>();
  /** The busy fd that was ready last. */
  #last = NONE;

  constructor(capacity: number) {
    this.fd = syscall(NR.epoll_create1, EPOLL_CLOEXEC);
    this.#capacity = capacity;
    this.#events = new DataView(new ArrayBuffer(12 * capacity));
  }

  add(fd: number): number {
    return this.#control(CTL.add, fd);
  }

  /** Adds an fd that poll(2) waits for itself once it is ready twice in a row. */
  addBusy(fd: number): number {
    this.#busy.add(fd);
    return this.add(fd);
  }

  remove(fd: number): number {
    this.#busy.delete(fd);
    if (fd !== this.#direct) return this.#control(CTL.del, fd);
    this.#direct = NONE;
    return 0;
  }

  /**
   * Waits at most `timeout` ms (-1: no limit) and calls `ready` for each ready fd. Returns a negative errno on failure.
   */
  wait(timeout: number, ready: (fd: number, events: number) => void): number {
    const direct = this.#direct;
    if (direct === NONE) return this.#waitForAll(timeout, ready);
    const { memory, address } = this.#both;
    const count = syscall(NR.poll, address, 2, timeout);
    if (count <= 0) return count;
    const [others, events] = [memory[1]! >>> 16, memory[3]! >>> 16];
    if ((events & POLLNVAL) !== 0) this.#direct = NONE;
    else if (events !== 0) {
      this.#last = direct;
      ready(direct, events);
    }
    return others === 0 ? count : this.#waitForAll(0, ready);
  }

  #waitForAll(timeout: number, ready: (fd: number, events: number) => void): number {
    const count = syscall(NR.epoll_wait, this.fd, this.#events, this.#capacity, timeout);
    for (let index = 0; index < count; index += 1) {
      const fd = this.#events.getInt32(12 * index + 4, true);
      if (this.#busy.has(fd)) this.#noteReady(fd);
      ready(fd, this.#events.getUint32(12 * index, true));
    }
    return count;
  }

  /** Waits for an fd directly from now on if it is ready for the second time in a row. */
  #noteReady(fd: number): void {
    if (fd !== this.#last) {
      this.#last = fd;
      return;
    }
    if (this.#direct !== NONE) this.#control(CTL.add, this.#direct);
    this.#control(CTL.del, fd);
    this.#direct = fd;
    this.#both.memory.set([this.fd, EPOLLIN, fd, EPOLLIN]); // poll(2) writes to `revents` only
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
