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
