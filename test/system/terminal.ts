import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

/** A command in a terminal of its own, which script(1) makes. */
export class Terminal {
  #text = "";
  readonly #script: ChildProcess;
  #end: string | null = null;

  /** `command` is a line of a shell. */
  constructor(command: string, cwd?: string) {
    const words = ["-q", "-e", "-c", command, "/dev/null"];
    this.#script = spawn("script", words, { stdio: ["pipe", "pipe", "ignore"], cwd });
    // what is typed after the end: the next text that is not shown says so
    this.#script.stdin!.on("error", () => undefined);
    this.#script.once("exit", (status, signal) => {
      this.#end = `script(1) ended (${status ?? signal})`;
    });
    this.#script.stdout!.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString();
    });
  }

  /** What is shown up to a text, and with it; that is then forgotten. */
  async shows(wanted: string): Promise<string> {
    for (let tries = 0; ; tries += 1) {
      const end = this.#text.indexOf(wanted);
      if (end >= 0) {
        const shown = this.#text.slice(0, end + wanted.length);
        this.#text = this.#text.slice(end + wanted.length);
        return shown.replaceAll("\r", "");
      }
      if (this.#end !== null || tries === TRIES)
        throw new Error(
          `\`${wanted}\` is not shown, but \`${this.#text}\`${this.#end === null ? "" : `: ${this.#end}`}`,
        );
      await sleep(10);
    }
  }

  type(keys: string): void {
    this.#script.stdin!.write(keys);
  }

  /** What a line says until the shell is ready for the next. */
  async line(text: string): Promise<string> {
    this.type(`${text}\n`);
    await this.shows("\n"); // its echo
    const shown = await this.shows("ready> ");
    return shown.slice(0, -"ready> ".length);
  }

  /** Waits until the command has ended. */
  async ends(): Promise<string> {
    if (this.#end === null) await once(this.#script, "exit");
    return this.#end!;
  }

  /** Hangs up. */
  async close(): Promise<void> {
    if (this.#end !== null) return;
    const ended = once(this.#script, "exit");
    this.#script.kill("SIGKILL");
    await ended;
  }
}

/** Looks, 10 ms apart, at what a terminal shows. Only what is never shown takes as long. */
const TRIES = 10_000;
