import { Fixed, must, syscall } from "./libc.js";
import { NR } from "./numbers.js";
import { close } from "./pidfd.js";

const CLOCK_MONOTONIC = 1;
const TFD_CLOEXEC = 0o2000000;
const TFD_NONBLOCK = 0o4000;

/**
 * A timerfd(2): an fd that becomes readable at a time. Time-outs of epoll_wait(2), poll(2), futex(2) and of what node
 * makes of them end late by the thread's timer slack (ep_poll in fs/eventpoll.c, do_sys_poll in fs/select.c, futex_wait
 * in kernel/futex/waitwake.c). Any task with CAP_SYS_NICE can set the slack of any thread, to centuries
 * (timerslack_ns_write in fs/proc/base.c). The expiry of a timerfd has no slack (timerfd_setup in fs/timerfd.c), nor
 * has the return from epoll_wait(2) when an fd becomes readable. Throws GATE_FAILED.
 */
export class TimerFd {
  readonly fd = must(syscall(NR.timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "making a timer");

  /**
   * struct itimerspec, by 32-bit words: the interval, then the first expiry. Each is a struct timespec: seconds and
   * nanoseconds, of 64 bits each, whose high words stay 0.
   */
  readonly #times = new Fixed(new Int32Array(8));

  /** Expires in `first` milliseconds, and again every `interval` milliseconds unless that is 0. */
  set(first: number, interval = 0): void {
    const { memory, address } = this.#times;
    setTime(memory, 0, interval);
    setTime(memory, 4, first);
    must(syscall(NR.timerfd_settime, this.fd, 0, address, 0), "setting a timer");
  }

  /** After an expiry the fd stays readable until this is called, or {@link set}. */
  quieten(): void {
    syscall(NR.read, this.fd, new BigUint64Array(1), 8);
  }

  close(): void {
    close(this.fd);
  }
}

function setTime(words: Int32Array, at: number, milliseconds: number): void {
  const seconds = Math.floor(milliseconds / 1000);
  words[at] = seconds;
  words[at + 2] = Math.ceil((milliseconds - 1000 * seconds) * 1e6);
}
