import { syscall } from "../../sys/libc.js";
import { NR } from "../../sys/numbers.js";

/** A descriptor that is opened at its first use: not at all if nothing is read from the kernel. */
export class Opened {
  #fd: number | null = null;

  /** @param open returns a descriptor or a negative errno */
  constructor(readonly open: () => number) {}

  /** Has the descriptor read, or returns the negative errno of opening it. */
  use<T>(read: (fd: number) => T): T | number {
    this.#fd ??= this.open();
    return this.#fd < 0 ? this.#fd : read(this.#fd);
  }

  close(): void {
    if (this.#fd !== null && this.#fd >= 0) syscall(NR.close, this.#fd);
    this.#fd = null;
  }
}
