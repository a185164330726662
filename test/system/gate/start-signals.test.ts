import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { until } from "../../support/until.js";
import { amount } from "../nightly.js";
import { siteForTests } from "./site.js";

/** A field of /proc/PID/status; empty if the process has ended. */
function statusOf(pid: number, field: string): string {
  return new RegExp(`^${field}:\\s*(.*)$`, "m").exec(contents(`/proc/${pid}/status`))?.[1] ?? "";
}

function contents(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.flatMap((thread) =>
      contents(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

const launcherOf = (gate: number) => childrenOf(gate)[0] ?? 0;

/** Moments of the start of `run`, in their order, as seen from outside. */
const MOMENTS: Readonly<Record<string, (gate: number) => boolean>> = {
  "its process exists": () => true,
  "node has threads": (gate) => Number(statusOf(gate, "Threads")) > 2,
  "its launcher exists": (gate) => launcherOf(gate) > 0,
  "its launcher has node's threads": (gate) => Number(statusOf(launcherOf(gate), "Threads")) > 2,
  "its launcher has the filter": (gate) => statusOf(launcherOf(gate), "Seccomp") === "2",
  "the command runs": (gate) => statusOf(launcherOf(gate), "Name") === "sleep",
};

describe("SIGTERM while `run` starts", () => {
  const site = siteForTests("export const bpf_prog_load = () => 0;", []);

  const start = (): ChildProcess => {
    const [file = "", ...words] = site().words("sleep", "1000");
    return spawn(file, words, { stdio: ["ignore", "pipe", "pipe"] });
  };

  /** Sends SIGTERM after `looks` looks at /proc since the moment. Returns how the gate ended and what it left. */
  async function terminated(moment: (gate: number) => boolean, looks: number) {
    const gate = start();
    const pid = gate.pid!;
    let said = "";
    for (const stream of [gate.stdout!, gate.stderr!]) stream.on("data", (text) => (said += text));
    const ended = once(gate, "close");
    while (!moment(pid)) await new Promise(setImmediate);
    for (let look = 0; look < looks; look++) launcherOf(pid);
    const launcher = launcherOf(pid);
    gate.kill("SIGTERM");
    const [code, signal] = await ended;
    // nobody holds the gate's stderr any more, so the launcher is ending if it has not ended yet
    if (launcher > 0) await until(() => expect(["", "Z", "X"]).toContain(statusOf(launcher, "State").slice(0, 1)));
    return { code, signal, said };
  }

  it.each(Object.entries(MOMENTS))("ends it by this signal, and leaves nothing: when %s", async (_, moment) => {
    for (let time = 0; time < amount(2, 40); time++)
      expect(await terminated(moment, time * 25), `after ${time * 25} looks`).toEqual({
        ...{ code: null, signal: "SIGTERM", said: "" },
      });
  });
});
