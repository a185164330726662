import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ToolRun } from "./libbpf-tools.js";

const WATCH = fileURLToPath(new URL("watch-tool.py", import.meta.url));
const ACTIVITY = fileURLToPath(new URL("activity.py", import.meta.url));
/** The number of passes of activity.py after which a tool that is attached and has shown nothing is ended. */
export const LIMIT = 60;
/** The same for a tool that has shown something before: on a busy machine it takes longer behind the gate. */
export const LONGER = 600;

/** What came of a run. */
export interface Outcome {
  /** The line that was looked for; null if it was not printed. */
  readonly shown: string | null;
  /** Of a tool that ended without it: its status and the first line about that. Null if it was still running. */
  readonly failure: readonly [status: string, line: string] | null;
}

/** A shell that runs commands side by side. */
export class Shell {
  readonly #waiting = new Map<string, () => void>();

  readonly #process;

  constructor(program: string, words: readonly string[]) {
    this.#process = spawn(program, words, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#process.stdout }).on("line", (id) => this.#waiting.get(id)?.());
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null;
  }

  /** Resolves once the command has ended. */
  run(id: string, words: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      const quoted = words.map((word) => `'${word}'`).join(" ");
      this.#process.stdin.write(`{ ${quoted}; echo ${id}; } &\n`);
    });
  }

  close(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#process.once("close", resolve);
      this.#process.stdin.end();
    });
  }
}

/** Starts activity.py, which does what tools see, in a shell. Resolves once it has begun. */
export async function startActivity(shell: Shell, folder: string): Promise<void> {
  void shell.run("activity", ["python3", ACTIVITY, folder]);
  while (!existsSync(join(folder, "passes")) && shell.isRunning) await sleep(50);
}

/** The process id of activity.py. */
export function activityIn(folder: string): number {
  return Number(readFileSync(join(folder, "pid"), "latin1"));
}

/**
 * Runs a tool in a shell until it shows what it sees of activity.py in `activity`, or for `limit` of its passes. `out`
 * gets what it prints.
 */
export async function watched(
  shell: Shell,
  out: string,
  activity: string,
  run: ToolRun,
  limit = LIMIT,
): Promise<Outcome> {
  const prefix = join(out, run.id);
  const passes = join(activity, "passes");
  await shell.run(run.id, ["python3", WATCH, prefix, run.shows, run.begins, passes, String(limit), ...run.words]);
  const read = (name: string) => readFileSync(`${prefix}.${name}`, "latin1");
  const end = read("end").trim();
  if (end === "silent") return { shown: null, failure: null };
  if (end !== "shown") return { shown: null, failure: [end, reasonIn(read("err"))] };
  return { shown: read("line"), failure: null };
}

/** The first line of what a tool says about its failure, without addresses. */
function reasonIn(text: string): string {
  return text.split("\n")[0]!.replaceAll(/0x[0-9a-f]+/g, "0x…");
}
