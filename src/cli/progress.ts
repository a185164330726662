/** Something that takes long enough for a person to want to see it go on. */
export interface Progress {
  step(what: string): void;
  stop(): void;
}

/** Fewer steps than this are done before anybody has read a bar. */
const ENOUGH = 20;

/** A bar on stderr, where that is a terminal and there is enough to do; else nothing. */
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
