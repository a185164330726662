import type { Command } from "commander";

/** One row for each command. The module exports `command()` and is imported only when the command is used. */
interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ command(): Command }>;
}

export const COMMANDS: Readonly<Record<string, Entry>> = {
  check: { summary: "decides about files offline", load: () => import("./check.js") },
  init: { summary: "makes a working directory to begin with", load: () => import("./init.js") },
  config: { summary: "brings a configuration up to date", load: () => import("./config.js") },
  test: { summary: "runs the tests beside policies", load: () => import("./test.js") },
  sign: { summary: "makes signatures of files, or of each BPF program in them", load: () => import("./sign.js") },
  verify: { summary: "checks one signature", load: () => import("./verify.js") },
  keyring: { summary: "looks into keyrings and certificate paths", load: () => import("./keyring.js") },
  top: { summary: "shows what a running gate decides", load: () => import("./top.js") },
  agent: { summary: "decides for containers, as an OCI seccomp agent", load: () => import("./agent.js") },
  run: { summary: "runs a command behind a live gate", load: () => import("./run.js") },
  inspect: { summary: "shows what BPF programs are and may do", load: () => import("./inspect.js") },
};
