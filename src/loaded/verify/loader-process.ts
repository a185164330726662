import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { LoadAgain, LoadedAgain } from "./load.js";

/** Milliseconds for the start of the process, and for one load. */
const START = 60_000;
const LOAD = 1_000;

/** The words after the path of the command that make it serve loads ({@link serveLoads}). */
const WORDS = ["scan", "--load-again"];

/** Loads programs again in a process of its own, which is killed if a load takes too long. */
export class LoaderProcess {
  #child: ChildProcess | null = null;

  /** Null if it took too long, or the process ended. `until` is when loading ends, as `performance.now()` counts. */
  async load(load: LoadAgain, until: number): Promise<LoadedAgain | null> {
    this.#child ??= await started();
    const child = this.#child;
    if (child === null) return null;
    const answer = answerOf(child, Math.min(LOAD, until - performance.now()));
    child.send(load);
    const answered = (await answer) as LoadedAgain | null;
    if (answered === null) await this.close();
    return answered;
  }

  /** Ends the process; what it had loaded is gone then. */
  async close(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}

async function started(): Promise<ChildProcess | null> {
  const child = spawn(process.execPath, [process.argv[1]!, ...WORDS], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    serialization: "advanced",
  });
  child.on("error", () => {});
  if ((await answerOf(child, START)) === "ready") return child;
  child.kill("SIGKILL");
  return null;
}

/** The next message; null if the process ends before, or it takes too long. */
function answerOf(child: ChildProcess, milliseconds: number): Promise<unknown> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => end(null), Math.max(0, milliseconds));
    const gone = () => end(null);
    const end = (answer: unknown) => {
      clearTimeout(timer);
      child.off("message", end);
      child.off("exit", gone);
      child.off("error", gone);
      resolve(answer);
    };
    child.on("message", end);
    child.on("exit", gone);
    child.on("error", gone);
  });
}
