import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

/** Debian's package of this name; scripts/debian.sh installs it. */
const PROGRAM = "/usr/bin/chromium-headless-shell";

export const hasBrowser = existsSync(PROGRAM);

/** A page in a headless Chromium, by the Chrome DevTools Protocol over a pipe. */
export class Browser {
  readonly #folder = mkdtempSync(join(tmpdir(), "browser-"));
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #events: string[] = [];
  #partial = "";
  #last = 0;
  #session = "";

  /** Ends the wait for the last answer. */
  #failed = (_: Error) => {};

  private constructor() {
    const options = ["--no-sandbox", "--remote-debugging-pipe", `--user-data-dir=${this.#folder}`, "--disable-gpu"];
    this.#process = spawn(PROGRAM, [...options, "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      env: { ...process.env, HOME: this.#folder },
    });
    this.#process.once("exit", (status) => this.#failed(new Error(`the browser ended with ${status}`)));
    (this.#process.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => this.#take(text));
  }

  static async open(): Promise<Browser> {
    const browser = new Browser();
    const { targetId } = await browser.#send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.#send("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = String(sessionId);
    for (const domain of ["Page", "Network", "Log", "Runtime"]) await browser.#send(`${domain}.enable`);
    return browser;
  }

  /** Opens a page and returns when it has run its scripts. */
  async go(url: string): Promise<void> {
    this.#events.length = 0;
    await this.#send("Page.navigate", { url });
    while ((await this.evaluate("document.readyState")) !== "complete") await this.evaluate("0");
  }

  /** The value of an expression in the page. Throws what it throws. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.#send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    const { result, exceptionDetails } = answer as { result: { value: unknown }; exceptionDetails?: object };
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return result.value;
  }

  /** Writes a picture of the window, width times height pixels. */
  async screenshot(file: string, width: number, height: number): Promise<void> {
    await this.#send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    await this.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    const { data } = await this.#send("Page.captureScreenshot", { format: "png" });
    writeFileSync(file, Buffer.from(String(data), "base64"));
  }

  /** Requests, errors and messages of the page since it was opened. */
  eventsOf(...methods: readonly string[]): readonly string[] {
    return this.#events.filter((event) => methods.some((method) => event.startsWith(`{"method":"${method}"`)));
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  #send(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    this.#last += 1;
    const id = this.#last;
    const session = this.#session === "" ? {} : { sessionId: this.#session };
    return new Promise((resolve, reject) => {
      this.#failed = reject;
      this.#waiting.set(id, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result ?? {})));
      (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    });
  }

  /** Messages end with a NUL. */
  #take(text: string): void {
    const messages = (this.#partial + text).split("\0");
    this.#partial = messages.pop() ?? "";
    for (const message of messages) {
      const answer = JSON.parse(message) as Answer;
      if (answer.id === undefined) this.#events.push(message);
      else this.#waiting.get(answer.id)?.(answer);
    }
  }
}

interface Answer {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}
