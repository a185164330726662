/** The progress of a long operation. */
export interface Progress {
  step(what: string): void;
  stop(): void;
}

/** Minimum number of steps for which a bar is shown. */
const ENOUGH = 20;

/** Shows a progress bar on stderr if that is a terminal and there are enough steps. */
export async function progress(total: number): Promise<Progress> {
  if (process.stderr.isTTY !== true || total < ENOUGH) return { step() {}, stop() {} };
  const { SingleBar } = await import("cli-progress");
  const bar = new SingleBar({
    format: "{bar} {value}/{total} {what}",
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  bar.start(total, 0, { what: "" });
  return { step: (what) => bar.increment({ what }), stop: () => bar.stop() };
}

/** Shows the number of steps of an operation of unknown length on stderr if that is a terminal. */
export async function counter(title: string): Promise<Progress> {
  if (process.stderr.isTTY !== true) return { step() {}, stop() {} };
  const { SingleBar } = await import("cli-progress");
  const format = `${title}: {value} {what}`;
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true, stream: process.stderr });
  bar.start(1, 0, { what: "" });
  return { step: (what) => bar.increment({ what }), stop: () => bar.stop() };
}

/** Milliseconds after which an operation shows how far it is. */
const LONG = 1000;

/**
 * Shows how much of something is done on one line of stderr, if that is a terminal, once it has taken a second. It
 * writes at once: the operation may leave no time for timers.
 */
export class LongProgress {
  readonly #since: number;
  #shown: number | null = null;

  constructor(
    readonly stream: Pick<NodeJS.WriteStream, "isTTY" | "write"> = process.stderr,
    readonly now: () => number = () => performance.now(),
  ) {
    this.#since = now();
  }

  show(what: string, done: number, of: number): void {
    const now = this.now();
    if (this.stream.isTTY !== true || now - (this.#shown ?? this.#since) < LONG) return;
    this.#shown = now;
    this.stream.write(`\r\u001b[K${what}: ${Math.floor((100 * done) / of)}% of ${of}`);
  }

  /** Takes the line away. */
  stop(): void {
    if (this.#shown !== null) this.stream.write("\r\u001b[K");
    this.#shown = null;
  }
}
