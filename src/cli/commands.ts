import type { Command } from "commander";

/** One row for each command. The module exports `command()` and is imported only when the command is used. */
interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ command(): Command }>;
  /** Whether the command reads the others, whose modules are then imported too. */
  readonly readsOthers?: true;
}

export const COMMANDS: Readonly<Record<string, Entry>> = {
  check: { summary: "decides about files offline", load: () => import("./commands/check.js") },
  init: { summary: "makes a working directory to begin with", load: () => import("./commands/init.js") },
  lint: { summary: "finds mistakes in configurations and policies", load: () => import("./commands/lint.js") },
  types: { summary: "writes the types of what maps have", load: () => import("./commands/types.js") },
  config: { summary: "validates a configuration, or brings it up to date", load: () => import("./commands/config.js") },
  test: { summary: "runs the tests beside policies", load: () => import("./commands/test.js") },
  prove: {
    summary: "finds every answer that policies can give",
    load: () => import("./commands/prove.js"),
  },
  bench: { summary: "measures what attachments cost", load: () => import("./commands/bench.js") },
  repl: { summary: "evaluates expressions of policies", load: () => import("./commands/repl.js") },
  sign: {
    summary: "makes signatures of files, or of each BPF program in them",
    load: () => import("./commands/sign.js"),
  },
  verify: { summary: "checks one signature", load: () => import("./commands/verify.js") },
  keyring: { summary: "looks into keyrings and certificate paths", load: () => import("./commands/keyring.js") },
  explain: { summary: "says why a decision is what it is", load: () => import("./commands/explain.js") },
  replay: { summary: "makes the decisions of a log again", load: () => import("./commands/replay.js") },
  top: { summary: "shows what a running gate decides", load: () => import("./commands/top.js") },
  log: { summary: "shows a decision log", load: () => import("./commands/log.js") },
  learn: { summary: "makes a policy of a decision log", load: () => import("./commands/learn.js") },
  report: { summary: "makes a page of a decision log", load: () => import("./commands/report.js") },
  agent: { summary: "decides for containers, as an OCI seccomp agent", load: () => import("./commands/agent.js") },
  run: { summary: "runs a command behind a live gate", load: () => import("./commands/run.js") },
  resolve: {
    summary: "shows the digests that BPF programs have on a kernel",
    load: () => import("./commands/resolve.js"),
  },
  list: {
    summary: "lists the digests that may load on a set of kernels",
    load: () => import("./commands/list.js"),
  },
  seal: { summary: "has the kernel enforce a configuration", load: () => import("./commands/seal.js") },
  scan: { summary: "shows what the running kernel has loaded", load: () => import("./commands/scan.js") },
  inspect: { summary: "shows what BPF programs are and may do", load: () => import("./commands/inspect.js") },
  completion: {
    summary: "prints the completions of a shell",
    load: () => import("./commands/completion.js"),
    readsOthers: true,
  },
};
