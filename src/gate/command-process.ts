import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { entryFile } from "../engine/entries.js";
import { CountersignError, type ErrorCode } from "../error.js";
import { close, openThread, takeFd } from "./sys/pidfd.js";
import { takeStop } from "./sys/process.js";

/** How a command ended: with a code, or by a signal. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * The process that becomes the command: the launcher first, under the filter and waiting; the command itself once
 * {@link go} is called. Terminal, standard streams, working directory and process group are the gate's own.
 */
export class CommandProcess {
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #channel: Duplex;

  constructor(command: readonly string[], openFiles: number) {
    this.#child = spawn(process.execPath, [entryFile("launcher"), String(openFiles), ...command], {
      stdio: ["inherit", "inherit", "inherit", "pipe"],
    });
    this.#channel = this.#child.stdio[3] as Duplex;
    this.#channel.on("error", () => undefined); // its end is seen as the process's
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("exit", (code, signal) => resolve({ code, signal }));
      this.#child.once("error", (cause) => reject(failed(`the launcher cannot be started: ${cause.message}`)));
    });
    this.ended.catch(() => undefined); // whoever waits sees it
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The gate's copy of the listener, once the filter is on. Throws GATE_NESTED, GATE_UNSUPPORTED, GATE_FAILED. */
  async listener(): Promise<number> {
    const line = await Promise.race([firstLine(this.#channel), this.ended.then(() => "failed launcher 0")]);
    const [word = "", first = "", second = ""] = line.split(" ");
    if (word !== "listener") throw refusal(first, Number(second));
    const pidfd = openThread(this.pid, this.pid);
    const listener = pidfd < 0 ? pidfd : takeFd(pidfd, Number(first));
    close(pidfd);
    if (listener >= 0) return listener;
    throw failed(`the listener cannot be taken: errno ${-listener}`);
  }

  /** Lets the launcher become the command. */
  go(): void {
    this.#channel.end("go");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Whether the process has been stopped since this was last asked: a shell then expects its parent to stop, too. */
  hasStopped(): boolean {
    return this.pid !== 0 && takeStop(this.pid);
  }
}

function firstLine(channel: Duplex): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    channel.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
    });
    channel.once("close", () => resolve("failed launcher 0"));
  });
}

const EBUSY = 16;

function refusal(step: string, errno: number): CountersignError {
  if (step === "seccomp" && errno === EBUSY)
    return new CountersignError("GATE_NESTED", "this shell runs under a gate or a seccomp listener already", {
      remedy: "start the gate outside of it: a filter tree can have one listener",
    });
  const code: ErrorCode = step === "launcher" ? "GATE_FAILED" : "GATE_UNSUPPORTED";
  return new CountersignError(code, `the ${step} of the command could not be set up: errno ${errno}`, {
    remedy: REMEDIES[step] ?? "see docs/threat-model.md for what the gate needs",
  });
}

const REMEDIES: Readonly<Record<string, string>> = {
  landlock: "use Linux 6.12 or later with Landlock enabled (`lsm=landlock,…`)",
  seccomp: "use a kernel with CONFIG_SECCOMP_FILTER, and Linux 5.19 or later",
};

function failed(message: string): CountersignError {
  return new CountersignError("GATE_FAILED", message, { remedy: "see docs/errors/GATE_FAILED.md" });
}
