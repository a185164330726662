import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "vitest";
import { BIN, type Site } from "./site.js";

/**
 * Looks, 25 ms apart, at what an agent says: as long as one that starts takes where processors are emulated or all in
 * use.
 */
const TRIES = 4800;

/** An agent as an operator starts one, for the configuration of a site. */
export class RunningAgent {
  #all = "";
  #said = "";

  private constructor(
    readonly process: ChildProcess,
    readonly socket: string,
  ) {
    for (const stream of [process.stdout, process.stderr])
      stream?.on("data", (chunk: Buffer) => {
        this.#all += chunk.toString();
        this.#said += chunk.toString();
      });
  }

  static async start(site: Site, options: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<RunningAgent> {
    const socket = join(site.folder, "agent.sock");
    const words = ["agent", "--socket", socket, "--config", join(site.folder, "countersign.yaml"), ...options];
    const agent = new RunningAgent(
      spawn(process.execPath, [BIN, ...words], { env: { ...process.env, ...env } }),
      socket,
    );
    await agent.heard(/listening at/);
    return agent;
  }

  /** Where it serves metrics. */
  get metrics(): string {
    return /metrics at (\S+)/.exec(this.#all)?.[1] ?? "";
  }

  /** All that it said since this was forgotten. */
  get said(): string {
    return this.#said;
  }

  /** What it said before is not heard any more. */
  forget(): void {
    this.#said = "";
  }

  async heard(what: RegExp): Promise<void> {
    for (let tries = 0; tries < TRIES && !what.test(this.#said) && !this.#hasEnded; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 25));
    expect(this.#said).toMatch(what);
  }

  get #hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  async reload(answer = /the configuration was read again/): Promise<void> {
    this.forget();
    this.process.kill("SIGHUP");
    await this.heard(answer);
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return;
    const ended = once(this.process, "exit");
    this.process.kill("SIGTERM");
    await ended;
  }
}
