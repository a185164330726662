import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A program that runs beside the test, and whose lines the test reads one by one. */
export class RunningProgram {
  /** When the program has ended and its output was read: its exit status or the name of its signal. */
  readonly ended: Promise<number | string>;
  readonly #name: string;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #complaint = "";
  #hasEnded = false;

  constructor(file: string, words: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#name = [file, ...words].join(" ");
    this.#process = spawn(file, words, { env: { ...process.env, ...env } });
    this.ended = new Promise((resolve) => {
      this.#process.once("error", (error) => resolve(error.message));
      this.#process.once("close", (status, signal) => resolve(status ?? signal ?? "unknown"));
    });
    void this.ended.then(() => {
      this.#hasEnded = true;
    });
    // a program that has ended does not read what is written to it: the next line that it does not write says so
    this.#process.stdin.on("error", () => undefined);
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint += text;
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What it has written to standard error. */
  get complaint(): string {
    return this.#complaint;
  }

  /** The next line of its output. Throws with all that is known if the program has ended. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`\`${this.#name}\` ended (${await this.ended}): ${this.#complaint}`);
    return value;
  }

  async lines(count: number): Promise<readonly string[]> {
    const lines: string[] = [];
    while (lines.length < count) lines.push(await this.line());
    return lines;
  }

  write(text: string): void {
    this.#process.stdin.write(text);
  }

  /** Closes its standard input, and waits until it has ended by itself. Returns its exit status or its signal. */
  finish(): Promise<number | string> {
    this.#process.stdin.end();
    return this.ended;
  }

  /** Ends it by a signal, and waits until it has ended. */
  end(signal: NodeJS.Signals = "SIGKILL"): Promise<number | string> {
    this.#process.kill(signal);
    return this.ended;
  }
}
